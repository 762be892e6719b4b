// npm openid-client registers by RFC 7591: discovery, token, registration, and a token of its own.
// Reads its parameters as JSON on stdin, prints what each step gave.
import { webcrypto } from 'node:crypto'
import { readFileSync } from 'node:fs'
import * as oauth from 'openid-client'
import { readRegistration, refusal, signedFetch } from './signed_fetch.mjs'

globalThis.crypto ??= webcrypto // Node 18

const input = JSON.parse(readFileSync(0, 'utf8'))
const fetch = signedFetch(input)
const server = new URL(input.issuer)
const options = { algorithm: 'oauth2', [oauth.customFetch]: fetch }
const scope = 'manageRegistration'

const anybody = await oauth.discovery(
  server, input.generic_client_id, undefined, oauth.TlsClientAuth(), options,
)
const token = await oauth.clientCredentialsGrant(anybody, { scope })

const register = (metadata, initialAccessToken) =>
  oauth.dynamicClientRegistration(
    server, metadata, oauth.TlsClientAuth(), { ...options, initialAccessToken },
  )

const registered = await register(input.metadata, token.access_token)
const client = registered.clientMetadata()

console.log(JSON.stringify({
  server: anybody.serverMetadata(),
  token,
  client,
  read: await readRegistration(fetch, client),
  own_token: await oauth.clientCredentialsGrant(registered, { scope }),
  refused_metadata: await refusal(register(input.refused_metadata, token.access_token)),
  refused_token: await refusal(register(input.metadata, input.refused_token)),
}))

// npm openid-client goes through the life of a registration by RFC 7591 and RFC 7592: discovery,
// token, registration, a token of its own, read, update, delete.
// Reads its parameters as JSON on stdin, prints what each step gave.
import { webcrypto } from 'node:crypto'
import { readFileSync } from 'node:fs'
import * as oauth from 'openid-client'
import { clientFetch, manage, refusal, versionOf } from './client_fetch.mjs'

globalThis.crypto ??= webcrypto // Node 18

const input = JSON.parse(readFileSync(0, 'utf8'))
const server = new URL(input.issuer)
const options = { algorithm: 'oauth2', [oauth.customFetch]: clientFetch(input) }
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

const ask = (managementToken, method, body) => oauth.fetchProtectedResource(
  registered, managementToken, new URL(client.registration_client_uri), method, body,
  new Headers(body && { 'content-type': 'application/json' }),
)

console.log(JSON.stringify({
  version: versionOf('openid-client'),
  server: anybody.serverMetadata(),
  token,
  client,
  own_token: await oauth.clientCredentialsGrant(registered, { scope }),
  ...await manage(ask, client, input.changes),
  refused_metadata: await refusal(register(input.refused_metadata, token.access_token)),
  refused_token: await refusal(register(input.metadata, input.refused_token)),
}))

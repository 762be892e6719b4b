// npm oauth4webapi registers by RFC 7591: discovery, token, registration, and a token of its own.
// Reads its parameters as JSON on stdin, prints what each step gave.
import { webcrypto } from 'node:crypto'
import { readFileSync } from 'node:fs'
import * as oauth from 'oauth4webapi'
import { readRegistration, refusal, signedFetch } from './signed_fetch.mjs'

globalThis.crypto ??= webcrypto // Node 18

const input = JSON.parse(readFileSync(0, 'utf8'))
const fetch = signedFetch(input)
const issuer = new URL(input.issuer)
const options = { [oauth.customFetch]: fetch }

const server = await oauth.processDiscoveryResponse(
  issuer, await oauth.discoveryRequest(issuer, { ...options, algorithm: 'oauth2' }),
)

async function grant(client) {
  const response = await oauth.clientCredentialsGrantRequest(
    server, client, oauth.TlsClientAuth(), { scope: 'manageRegistration' }, options,
  )
  return oauth.processClientCredentialsResponse(server, client, response)
}

async function register(metadata, initialAccessToken) {
  const response = await oauth.dynamicClientRegistrationRequest(
    server, metadata, { ...options, initialAccessToken },
  )
  return oauth.processDynamicClientRegistrationResponse(response)
}

const token = await grant({ client_id: input.generic_client_id })
const client = await register(input.metadata, token.access_token)

console.log(JSON.stringify({
  server,
  token,
  client,
  read: await readRegistration(fetch, client),
  own_token: await grant(client),
  refused_metadata: await refusal(register(input.refused_metadata, token.access_token)),
  refused_token: await refusal(register(input.metadata, input.refused_token)),
}))

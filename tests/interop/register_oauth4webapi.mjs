// npm oauth4webapi goes through the life of a registration by RFC 7591 and RFC 7592: discovery,
// token, registration, a token of its own, read, update, delete.
// Reads its parameters as JSON on stdin, prints what each step gave.
import { webcrypto } from 'node:crypto'
import { readFileSync } from 'node:fs'
import * as oauth from 'oauth4webapi'
import { clientFetch, manage, refusal, versionOf } from './client_fetch.mjs'

globalThis.crypto ??= webcrypto // Node 18

const input = JSON.parse(readFileSync(0, 'utf8'))
const issuer = new URL(input.issuer)
const options = { [oauth.customFetch]: clientFetch(input) }

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

const ask = (managementToken, method, body) => oauth.protectedResourceRequest(
  managementToken, method, new URL(client.registration_client_uri),
  new Headers(body && { 'content-type': 'application/json' }), body, options,
)

console.log(JSON.stringify({
  version: versionOf('oauth4webapi'),
  server,
  token,
  client,
  own_token: await grant(client),
  ...await manage(ask, client, input.changes),
  refused_metadata: await refusal(register(input.refused_metadata, token.access_token)),
  refused_token: await refusal(register(input.metadata, input.refused_token)),
}))

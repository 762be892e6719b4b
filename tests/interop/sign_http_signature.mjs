// One request signed by npm http-signature and sent by node:https.
// Reads its parameters as JSON on stdin, prints {status, body}.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { request as open } from 'node:https'
import { text } from 'node:stream/consumers'
import httpSignature from 'http-signature'

const input = JSON.parse(readFileSync(0, 'utf8'))

const request = open(input.url, {
  method: input.method,
  ca: readFileSync(input.ca),
  cert: readFileSync(input.qwac),
  key: readFileSync(input.qwac_key),
  agent: false,
})
request.setHeader('Authorization', `Bearer ${input.token}`)
request.setHeader('X-Request-ID', input.request_id)
const covered = ['(request-target)', 'x-request-id']
if (input.body !== null) {
  const digest = createHash('sha256').update(input.body).digest('base64')
  request.setHeader('Content-Type', 'application/json')
  request.setHeader('Digest', `SHA-256=${digest}`)
  covered.push('digest')
}
httpSignature.signRequest(request, {
  keyId: input.keyid,
  key: readFileSync(input.qsealc_key),
  algorithm: 'rsa-sha256',
  headers: covered,
  authorizationHeaderName: 'Signature',
})

// What somebody on the way would change after the signature was made.
if (input.changed_digest !== null) request.setHeader('Digest', input.changed_digest)
const body = input.changed_body ?? input.body
if (body !== null) request.setHeader('Content-Length', Buffer.byteLength(body))

request.on('response', async (response) => {
  console.log(JSON.stringify({ status: response.statusCode, body: await text(response) }))
})
request.end(body ?? undefined)

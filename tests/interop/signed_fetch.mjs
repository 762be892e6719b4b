// A fetch for OAuth clients that lets them speak to a STET bank: it presents the QWAC and adds
// X-Request-ID, Digest and Signature to every request.
import { createHash, randomUUID, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Agent, fetch } from 'undici'

export function signedFetch({ ca, qwac, qwac_key, qsealc_key, keyid }) {
  const signingKey = readFileSync(qsealc_key)
  const dispatcher = new Agent({
    connect: { ca: readFileSync(ca), cert: readFileSync(qwac), key: readFileSync(qwac_key) },
  })

  return (url, { body, headers, method, redirect, signal }) => {
    const signed = new Headers(headers)
    signed.set('x-request-id', randomUUID())
    const { pathname, search } = new URL(url)
    const lines = [
      ['(request-target)', `${method.toLowerCase()} ${pathname}${search}`],
      ['x-request-id', signed.get('x-request-id')],
    ]
    if (body != null) {
      const digest = createHash('sha256').update(body.toString()).digest('base64')
      signed.set('digest', `SHA-256=${digest}`)
      lines.push(['digest', signed.get('digest')])
    }
    const signingString = lines.map(([name, value]) => `${name}: ${value}`).join('\n')
    const signature = sign('sha256', Buffer.from(signingString), signingKey).toString('base64')
    const covered = lines.map(([name]) => name).join(' ')
    signed.set(
      'signature',
      `keyId="${keyid}",algorithm="rsa-sha256",headers="${covered}",signature="${signature}"`,
    )
    return fetch(url, {
      body: body?.toString(),
      dispatcher,
      headers: Object.fromEntries(signed),
      method,
      redirect,
      signal,
    })
  }
}

// Reads the registration at the URI and with the token that came with it.
export async function readRegistration(fetch, client) {
  const response = await fetch(client.registration_client_uri, {
    method: 'GET',
    headers: { authorization: `Bearer ${client.registration_access_token}` },
  })
  return { status: response.status, body: await response.json() }
}

// Tells what a client understood of a refusal.
export const refusal = (promise) =>
  promise.then(
    (value) => ({ accepted: value }),
    ({ name, message, status, error, error_description, cause }) => ({
      name, message, status, error, error_description, cause,
    }),
  )

// A fetch for OAuth clients that presents the QWAC; where a seal is given it also speaks STET:
// it adds X-Request-ID, Digest and Signature to every request.
import { createHash, randomUUID, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Agent, fetch } from 'undici'

export function clientFetch({ ca, qwac, qwac_key, qsealc_key, keyid }) {
  const seal = qsealc_key && { key: readFileSync(qsealc_key), keyid }
  const dispatcher = new Agent({
    connect: { ca: readFileSync(ca), cert: readFileSync(qwac), key: readFileSync(qwac_key) },
  })

  return (url, { body, headers, method, redirect, signal }) => {
    const fields = new Headers(headers)
    if (seal) addSignature(seal, { body, fields, method, url: new URL(url) })
    return fetch(url, {
      body: body?.toString(),
      dispatcher,
      headers: Object.fromEntries(fields),
      method,
      redirect,
      signal,
    })
  }
}

function addSignature({ key, keyid }, { body, fields, method, url: { pathname, search } }) {
  fields.set('x-request-id', randomUUID())
  const lines = [
    ['(request-target)', `${method.toLowerCase()} ${pathname}${search}`],
    ['x-request-id', fields.get('x-request-id')],
  ]
  if (body != null) {
    const digest = createHash('sha256').update(body.toString()).digest('base64')
    fields.set('digest', `SHA-256=${digest}`)
    lines.push(['digest', fields.get('digest')])
  }
  const signingString = lines.map(([name, value]) => `${name}: ${value}`).join('\n')
  const signature = sign('sha256', Buffer.from(signingString), key).toString('base64')
  const covered = lines.map(([name]) => name).join(' ')
  fields.set(
    'signature',
    `keyId="${keyid}",algorithm="rsa-sha256",headers="${covered}",signature="${signature}"`,
  )
}

// Reads, updates and deletes a registration by RFC 7592. `ask` is the client's own request, with a
// token: that of the registration, or the one that an update answered with in its place. What the
// server issued is not sent back.
export async function manage(ask, client, changes) {
  let token = client.registration_access_token
  const succeed = async (method, body) => {
    const response = await ask(token, method, body && JSON.stringify(body))
    if (!response.ok) throw new Error(`${method}: ${response.status} ${await response.text()}`)
    const answer = await response.json()
    token = answer.registration_access_token
    return answer
  }
  const {
    registration_access_token, registration_client_uri, client_id_issued_at,
    client_secret_expires_at, ...sent
  } = client
  return {
    read: await succeed('GET'),
    updated: await succeed('PUT', { ...sent, ...changes }),
    read_again: await succeed('GET'),
    deletion: (await ask(token, 'DELETE')).status,
    read_after_deletion: await ask(token, 'GET').then(
      ({ status }) => status, ({ status }) => status,
    ),
  }
}

// The version of a package that is installed here.
export const versionOf = (name) =>
  JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version

// Tells what a client understood of a refusal.
export const refusal = (promise) =>
  promise.then(
    (value) => ({ accepted: value }),
    ({ name, message, status, error, error_description, cause }) => ({
      name, message, status, error, error_description, cause,
    }),
  )

// Signs and verifies requests with npm http-signature, without sending them.
// Reads a list of jobs as JSON on stdin, prints {version, answers}.
import { readFileSync } from 'node:fs'
import httpSignature from 'http-signature'

const here = new URL('./node_modules/http-signature/package.json', import.meta.url)
const { version } = JSON.parse(readFileSync(here, 'utf8'))

function lowered (fields) {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value]))
}

function sign (job) {
  const fields = { ...job.fields }
  const request = {
    method: job.method,
    path: job.target,
    getHeader: (name) => lowered(fields)[name.toLowerCase()],
    setHeader: (name, value) => { fields[name] = value },
  }
  httpSignature.signRequest(request, {
    keyId: job.keyid,
    key: job.private_key,
    algorithm: job.label,
    headers: job.covered,
    authorizationHeaderName: 'Signature',
  })
  return { fields }
}

function verify (job) {
  const request = { method: job.method, url: job.target, headers: lowered(job.fields) }
  const parsed = httpSignature.parseRequest(request, { headers: job.covered })
  return { holds: httpSignature.verifySignature(parsed, job.public_key) }
}

const answers = JSON.parse(readFileSync(0, 'utf8')).map((job) => {
  try {
    return job.action === 'sign' ? sign(job) : verify(job)
  } catch (error) {
    return { error: `${error.message}` }
  }
})
console.log(JSON.stringify({ version, answers }))

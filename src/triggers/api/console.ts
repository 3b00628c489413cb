// GET /api/console and its files. Anonymous, for there is nothing in them: what the page shows it asks the API for, with the key that a person gives it.

import { createHash } from 'node:crypto'
import type { HttpRequest, HttpResponseInit } from '@azure/functions'
import { consoleFiles, pagePolicy } from '../../console/files.js'

const always = { 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' }

/** 304 when the browser has it. */
export async function tellConsole(request: HttpRequest): Promise<HttpResponseInit> {
  const { page } = consoleFiles()
  const etag = `"${createHash('sha256').update(page).digest('hex').slice(0, 16)}"`
  const headers = {
    ...always,
    etag,
    'cache-control': 'no-cache',
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': pagePolicy,
    'cross-origin-opener-policy': 'same-origin',
  }
  return request.headers.get('if-none-match') === etag ? { status: 304, headers } : { headers, body: page }
}

/** For ever the same under its address; under that of another version today's file, which nobody may keep. */
export async function tellConsoleFile(request: HttpRequest): Promise<HttpResponseInit> {
  const { files, version } = consoleFiles()
  const file = files.get(request.params['file'] ?? '')
  if (!file) return { status: 404, headers: always }
  const kept = request.params['version'] === version ? 'public, max-age=31536000, immutable' : 'no-store'
  return {
    headers: { ...always, 'cache-control': kept, 'content-type': file.type },
    body: file.text,
  }
}

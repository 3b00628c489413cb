// What is served of the console: a page without data and without a way out, and nothing but its own files.

import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { HttpRequest } from '@azure/functions'
import type * as Files from '../../src/console/files.js'
import type * as Triggers from '../../src/triggers/api/console.js'
import { sourceFiles } from '../source-files.js'

// As they are built: the page's modules only exist there.
const built = (path: string) => createRequire(__filename)(`../../dist/src/${path}`)
const { consoleFiles, pagePolicy }: typeof Files = built('console/files.js')
const { tellConsole, tellConsoleFile }: typeof Triggers = built('triggers/api/console.js')

const ask = (path: string, params: Record<string, string> = {}, headers: Record<string, string> = {}) =>
  new HttpRequest({ method: 'GET', url: `http://localhost/api/${path}`, params, headers })

describe('the page', () => {
  const { page, files, version } = consoleFiles()

  it('asks for files of its own only, all of which are there', () => {
    const addresses = [...page.matchAll(/(?:href|src)="([^"#]+)"/g)].map(([, address = '']) => address)

    expect(addresses.length).toBeGreaterThan(10)
    expect(addresses.filter((address) => !address.startsWith(`console/${version}/`))).toEqual([])
    expect(addresses.filter((address) => !files.has(address.slice(`console/${version}/`.length)))).toEqual([])
  })

  it('may run no script and show no style but those, send nothing elsewhere, and be in no frame', async () => {
    const { headers } = await tellConsole(ask('console'))

    expect(headers).toMatchObject({ 'content-security-policy': pagePolicy, 'x-content-type-options': 'nosniff' })
    expect(pagePolicy).not.toMatch(/unsafe|https?:|\*/)
    expect(pagePolicy).toMatch(/default-src 'none'.*frame-ancestors 'none'/)
    expect(page).not.toMatch(/<script(?![^>]*src=)|<style|style=|\son\w+=/)
  })

  it('names no other host in any of its files', () => {
    const others = [...files].flatMap(([name, { text }]) =>
      [...text.matchAll(/https?:\/\/[\w.]+/g)].map(([host]) => `${name}: ${host}`),
    )

    expect(others.filter((one) => !one.endsWith('http://www.w3.org'))).toEqual([])
  })

  it('makes no markup from text', () => {
    const modules = sourceFiles('src/console/page')

    expect(modules.length).toBeGreaterThan(10)
    expect(
      modules.filter(({ text }) => /innerHTML|outerHTML|insertAdjacent|document\.write|eval\(/.test(text)),
    ).toEqual([])
  })

  it('is not sent again to a browser that has it', async () => {
    const { headers } = await tellConsole(ask('console'))
    const etag = new Headers(headers).get('etag') ?? ''

    expect(etag).toMatch(/^"\w+"$/)
    expect(await tellConsole(ask('console', {}, { 'if-none-match': etag }))).toMatchObject({ status: 304 })
  })
})

describe('its files', () => {
  const { version } = consoleFiles()

  it('are kept for ever under the address of their version, and not at all under another', async () => {
    const own = await tellConsoleFile(ask('console/x', { version, file: 'views/saga.mjs' }))
    const other = await tellConsoleFile(ask('console/x', { version: 'other', file: 'style.css' }))

    expect(own.headers).toMatchObject({ 'cache-control': expect.stringContaining('immutable') })
    expect(own.headers).toMatchObject({ 'content-type': 'text/javascript; charset=utf-8' })
    expect(other.headers).toMatchObject({ 'cache-control': 'no-store', 'content-type': 'text/css; charset=utf-8' })
  })

  it.each(['index.html', '../files.js', 'tsconfig.json', '../../../host.json', ''])('are not %j', async (file) => {
    expect(await tellConsoleFile(ask('console/x', { version, file }))).toMatchObject({ status: 404 })
  })
})

// The guides for operations are of today: host.json is explained and honoured, choices are parameters, links lead somewhere.

import { existsSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readHostJson } from '../../embedded/functions/app-files.js'
import { readHubSettings } from '../../embedded/taskhub/settings.js'
import { partners } from '../../src/app/index.js'
import { checkSettings } from '../../src/settings.js'

const guides = ['deploy', 'dataverse-registration', 'runbook', 'security', 'cost', 'disaster-recovery', 'limits']
const textOf = (guide: string) => readFileSync(`docs/${guide}.md`, 'utf8')

/** Every setting with its value, by its path. */
function leaves(value: unknown, path: string): [string, unknown][] {
  if (typeof value !== 'object' || value === null) return [[path, value]]
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, path === '' ? name : `${path}.${name}`))
}
const hostJson: unknown = JSON.parse(readFileSync('host.json', 'utf8'))
const said = leaves(hostJson, '').map(([path, value]) => [path.replace(/^extensions\./, ''), value] as const)

/** What the platform alone makes something of, and why nothing here does. */
const platform: Readonly<Record<string, string>> = {
  version: 'of the file itself',
  extensionBundle: 'the embedded host brings its own bindings',
  'durableTask.storageProvider': 'the embedded task hub is its own backend',
  'durableTask.tracing': 'spans of the host, for Application Insights',
  'logging.logLevel': 'lines of the host; LOG_LEVEL says it for the embedded one',
  'logging.applicationInsights': 'what the host sends to Application Insights',
}
const isOfPlatform = (path: string) => Object.keys(platform).some((one) => path === one || path.startsWith(`${one}.`))

describe('host.json', () => {
  it('is explained in the deploy guide, setting by setting', () => {
    const rows = [...textOf('deploy').matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, names = '']) =>
      [...names.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
    )
    const explained = (path: string) =>
      rows.some((row) => path === row || path.startsWith(`${row}.`) || path.endsWith(`.${row}`))

    expect(said.map(([path]) => path).filter((path) => path !== 'version' && !explained(path))).toEqual([])
  })

  it('is honoured by the embedded host, but for what is the platform’s alone', () => {
    const { functionTimeout, extensions } = readHostJson('.')
    const hub = readHubSettings(extensions.durableTask, (_, __, line) => expect(line).toBe('')) as object
    const honoured = new Map([
      ...leaves({ functionTimeout, http: extensions.http, serviceBus: extensions.serviceBus }, ''),
      ...leaves({ durableTask: hub }, ''),
    ])
    const milliseconds = (value: unknown) => {
      const [, hours = '', minutes = '', seconds = ''] = /^(\d+):(\d+):(\d+)$/.exec(String(value)) ?? []
      return hours === '' ? value : ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000
    }

    const wanted = said.filter(([path]) => !isOfPlatform(path))
    expect(wanted.length).toBeGreaterThan(8)
    expect(wanted.map(([path]) => [path, honoured.get(path)])).toEqual(
      wanted.map(([path, value]) => [path, milliseconds(value)]),
    )
  })
})

describe('The guides for operations', () => {
  it('offer the choices that azd hands over, and no others', () => {
    const handed = readFileSync('infra/main.parameters.json', 'utf8')
    const hooks = ['package', 'durable-backend'].map((hook) => readFileSync(`infra/${hook}.mjs`, 'utf8')).join()
    const [, table = ''] = /^## What may be chosen$(.*?)^## /ms.exec(textOf('deploy')) ?? []
    const choices = [...table.matchAll(/^\| ((?:`[A-Z_]+` ?)+)\|/gm)].flatMap(([, names = '']) =>
      [...names.matchAll(/`([A-Z_]+)`/g)].map(([, name = '']) => name),
    )

    const parameters = [...handed.matchAll(/\$\{([A-Z_]+)=/g)].map(([, name = '']) => name)

    expect(choices).toEqual(expect.arrayContaining(parameters))
    expect(choices.filter((name) => !handed.includes(`\${${name}=`) && !hooks.includes(`process.env.${name}`))).toEqual(
      [],
    )
  })

  it.each(guides)('%s links only to files that exist, and names only scripts that do', (guide) => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }
    const links = [...textOf(guide).matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, path = '']) => posix.join('docs', path))
    const named = [...textOf(guide).matchAll(/npm run ([\w-]+)/g)].map(([, script = '']) => script)

    expect(links.filter((path) => !existsSync(path))).toEqual([])
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named))
  })
})

describe('local.settings.example.json', () => {
  it('starts the app, as the workflow does with the package', () => {
    const { Values } = JSON.parse(readFileSync('local.settings.example.json', 'utf8')) as {
      Values: Record<string, string>
    }

    expect(() => checkSettings(partners, Values)).not.toThrow()
  })
})

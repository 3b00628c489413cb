// The folder infra/ is held against the language, the services and the code; and each check is shown to find what it is for.

import { describe, expect, it } from 'vitest'
import { settingsRead } from './app.js'
import { faults } from './faults.js'
import { type Check, infrastructureOf, readTexts } from './infrastructure.js'
import { deployed, modules, names, parameters, syntax } from './names.js'
import { access, queues, runbook, settings, taskHub, told } from './product.js'
import { keys, rights, types } from './resources.js'

const texts = readTexts()
const checks: Readonly<Record<string, Check>> = {
  'is written in the language': syntax,
  'uses only names that are declared, and declares only what is used': names,
  'gives modules what they ask for': modules,
  'takes the parameters that azd hands over': parameters,
  'marks the app that azd deploys': deployed,
  'tells resources only what they know': types,
  'gives each right on one resource, by its own id': rights,
  'shows no key to anybody': keys,
  'has the queues and topics that the code uses': queues,
  'lets the app do with each queue what it does, and no more': access,
  'sets every setting that the app reads, and no other': settings,
  'has the task hub and the backend of host.json': taskHub,
  'has a chapter in the runbook for every alert': runbook,
  'asks for metrics that the app tells': told,
}

describe('The infrastructure', () => {
  it.each(Object.entries(checks))('%s', async (_, check) => {
    expect(check(await infrastructureOf(texts))).toEqual([])
  })

  it('is all there', async () => {
    const { bicep } = await infrastructureOf(texts)

    expect(bicep.map(({ path }) => path)).toContain('main.bicep')
    expect(bicep.flatMap(({ resources }) => resources).length).toBeGreaterThan(30)
    expect(settingsRead()).toContain('DATAVERSE_URL')
    expect(settingsRead()).toContain('OUTBOX_SET')
  })
})

describe('A check finds', () => {
  it.each(faults)('$fault', async ({ file, from, to, check, says }) => {
    const text = texts[file] ?? ''
    const faulty = text.replace(from, () => to)
    expect(faulty).not.toBe(text)

    const found = check(await infrastructureOf({ ...texts, [file]: faulty }))

    expect(found).toEqual(expect.arrayContaining([expect.stringContaining(says)]))
  })

  it('nothing that is not tried: each has a fault of its own', () => {
    expect(new Set(faults.map(({ check }) => check))).toEqual(new Set(Object.values(checks)))
  })
})

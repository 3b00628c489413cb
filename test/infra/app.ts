// What the app asks of its surroundings: settings, queues and topics, as its code says.

import { readFileSync } from 'node:fs'
import { partners } from '../../src/app/index.js'
import { startQueue } from '../../src/triggers/event-source.js'
import { secretSettingsOf } from '../../src/saga/partner.js'
import { counters, gauges, histograms } from '../../src/telemetry/metrics.js'
import { attributesOf } from '../../src/telemetry/told.js'
import { repliesQueue } from '../../src/triggers/in/partner-replies.js'
import { sourceFiles } from '../source-files.js'

/** Queues and topics that the code names; a topic by setting is named where it is deployed. */
export const entities: readonly string[] = [startQueue.queue, repliesQueue.queue, 'saga-notices']

/** What the app counts and measures. */
export const metrics: readonly string[] = [counters, histograms, gauges].flatMap((all) => Object.keys(all))

const facts = { saga: '', version: 1, step: '', attempt: 1, outcome: '', partner: '', table: '', row: '' }
/** What it tells of them besides. */
export const dimensions: readonly string[] = Object.keys(attributesOf(facts))

/** Whether some line of the log may hold these words. */
export const isWritten = (words: string): boolean => sourceFiles('src').some(({ text }) => text.includes(words))

/** Settings that the code names, by whatever way it reads them. */
export function settingsRead(): Set<string> {
  const ways = /(?:\benv(?:ironment)?\??\.?\[?|\b\w+In\(|\bconnection: )'([A-Za-z]\w+)'/g
  const named = sourceFiles('src').flatMap(({ text }) => [...text.matchAll(ways)].map(([, name = '']) => name))
  const byPartners = partners.flatMap((partner) => [partner.addressSetting, ...secretSettingsOf(partner)])
  return new Set([...named, ...byPartners])
}

/** Settings that are documented for whoever runs the app. */
export function settingsDescribed(): Set<string> {
  const { Descriptions } = JSON.parse(readFileSync('local.settings.example.json', 'utf8')) as {
    Descriptions: Record<string, string>
  }
  return new Set(Object.keys(Descriptions))
}

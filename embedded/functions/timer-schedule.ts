// When a timer trigger is due: NCRONTAB with six fields (or five, at second 0), or a time span.

import { Cron } from 'croner'
import { HostError, wordsOf } from './errors.js'

/** Tells the first time after the given one; both milliseconds since 1970. */
export type Schedule = (after: number) => number

/** @param timeZone as `WEBSITE_TIME_ZONE` has it; UTC if absent @throws HostError `SCHEDULE_UNREADABLE` */
export function readSchedule(name: string, text: string, timeZone = 'UTC'): Schedule {
  const span = /^(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2})$/.exec(text.trim())
  if (span) {
    const [, days = '0', hours, minutes, seconds] = span
    const ms = (((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000
    if (ms > 0) return (after) => after + ms
  }
  try {
    const fields = text.trim().split(/\s+/)
    if (fields.length !== 5 && fields.length !== 6) throw new Error('it has neither five nor six fields')
    const cron = new Cron(fields.length === 5 ? `0 ${text}` : text, { paused: true, timezone: timeZone })
    return (after) => cron.nextRun(new Date(after))?.getTime() ?? Infinity
  } catch (error) {
    throw HostError.of('SCHEDULE_UNREADABLE', { function: name, schedule: text, why: wordsOf(error) })
  }
}

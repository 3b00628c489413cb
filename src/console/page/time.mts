// Times as a person reads them: in the zone of the viewer, with UTC beside or on demand.

import { h } from './dom.mjs'

const date = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' })
const clock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
})
const zone = new Intl.DateTimeFormat(undefined, { timeZoneName: 'short' })

/** Such as `CET` or `GMT+2`. */
export const zoneName = zone.formatToParts(new Date()).find(({ type }) => type === 'timeZoneName')?.value ?? 'local'

/** `14:03:22` of today, `20 Nov 14:03:22` of another day. */
export function local(at: string, now = new Date()): string {
  const time = new Date(at)
  const isToday = time.toDateString() === now.toDateString()
  return isToday ? clock.format(time) : `${date.format(time)} ${clock.format(time)}`
}

/** `2026-11-20 13:03:22 UTC` */
export const utc = (at: string) => `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`

/** `3 min`, `2 h 5 min`, `40 ms`; never negative. */
export function lasting(ms: number): string {
  const seconds = Math.max(0, ms) / 1_000
  if (seconds < 1) return `${Math.round(Math.max(0, ms))} ms`
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 90) return `${Math.round(seconds)} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 90) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
  return `${Math.round(hours / 24)} days`
}

export const since = (at: string, now = Date.now()) => lasting(now - Date.parse(at))

/** In lists: how long ago, and on demand when exactly. */
export const ago = (at: string) => h('time', { datetime: at, title: both(at) }, `${since(at)} ago`)

/** In detail: the viewer's clock, and on demand UTC. */
export const when = (at: string) => h('time', { datetime: at, title: both(at) }, local(at))

/** Where it matters: both, in words. */
export const exactly = (at: string) =>
  h('time', { datetime: at }, local(at), ' ', h('span', { class: 'quiet' }, `${zoneName} · ${utc(at).slice(11)}`))

const both = (at: string) => `${local(at)} ${zoneName} · ${utc(at)}`

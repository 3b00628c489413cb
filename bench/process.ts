// A process that is measured: what it cost so far, and what its machine had to give. Linux only.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Milliseconds of CPU since its start; one tick of Linux is 10 ms. */
export function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** Starts a measurement. @returns ends it: which share of the CPU time that was wanted on this machine a hypervisor gave to others, in percent */
export function stolenFromHere(): () => number {
  const before = ticks()
  return () => {
    const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, stolen = 0] = ticks().map(
      (count, index) => count - (before[index] ?? 0),
    )
    return (100 * stolen) / (user + nice + system + irq + softirq + stolen || 1)
  }
}

/** Of all cores, since it was started: user, nice, system, idle, waiting, interrupts hard and soft, stolen. */
const ticks = () => (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').split(/ +/).slice(1).map(Number)

/** Bytes: its own, and of files that are mapped. */
export function memoryOf(pid: number): { readonly own: number; readonly mapped: number } {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  const bytes = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(text)?.[1] ?? 0) * 1024
  return { own: bytes('RssAnon'), mapped: bytes('RssFile') + bytes('RssShmem') }
}

/** Bytes: the most that it had at once, mapped files included. */
export function peakOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+)/.exec(text)?.[1] ?? 0) * 1024
}

/** Bytes of all files in a folder. */
export const diskOf = (folder: string) =>
  readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)

export const mega = (bytes: number) => Math.round(bytes / 2 ** 20)

// The lives of a task hub, one after the other over the same disk, in virtual time. A life can be cut off at any moment, as by kill -9: nothing of it is
// written any more, whatever its code goes on to do.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { carryOn } from '../../embedded/crash-points.js'
import { type DurableCode, durableCodeOf } from '../../embedded/functions/durable-code.js'
import { openStore, type Store } from '../../embedded/store/store.js'
import { TaskHub } from '../../embedded/taskhub/hub.js'
import { readHubSettings } from '../../embedded/taskhub/settings.js'
import { hasEnded, type InstanceRow } from '../../embedded/taskhub/tables.js'
import { until } from '../../local/installation.js'
import { appOf, type HandedOver, VirtualClock } from '../virtual-hub.js'

export interface LifeOptions {
  /** Of host.json. */
  readonly section?: object
  readonly clock?: VirtualClock
  /** In place of the app's own. */
  readonly code?: Partial<DurableCode>
  /** In place of the disk's own. */
  readonly commit?: Store['commit']
}

export interface Life {
  readonly hub: TaskHub
  /** From the first commit on that finds it so, nothing is written. */
  readonly dieWhen: (isSo: () => boolean) => void
  readonly die: () => void
  readonly isDead: () => boolean
}

export interface Lives {
  readonly disk: Store
  readonly clock: VirtualClock
  /** The app's own. */
  readonly code: DurableCode
  readonly begin: (options?: LifeOptions) => Life
}

/** What a dead process waits for. */
export const never = (): Promise<never> => new Promise(() => undefined)

/** How long a test waits for what needs no time but the machine's. */
export const soon = { everyMs: 2, seconds: 10 }

/** On a disk of their own, which is cleared when the test has ended. */
export async function openLives(handedOver: HandedOver): Promise<Lives> {
  const app = await appOf(handedOver)
  const data = mkdtempSync(join(tmpdir(), 'lives-'))
  const disk = openStore(data, { isDurable: false })
  const code = durableCodeOf(app)
  const virtual = new VirtualClock(Date.UTC(2030, 0, 1))
  const lives: Life[] = []
  onTestFinished(async () => {
    for (const { hub, isDead } of lives) if (!isDead()) await hub.close()
    await disk.close()
    rmSync(data, { recursive: true, force: true })
  })

  function begin({ section, clock = virtual, code: ownCode, commit }: LifeOptions = {}): Life {
    const write: Store['commit'] = (changes) => (commit ? commit(changes) : disk.commit(changes))
    let isDead = false
    let isTheEnd = () => false
    const hub = new TaskHub({
      store: {
        ...disk,
        commit(changes) {
          isDead ||= isTheEnd()
          return isDead ? never() : write(changes)
        },
      },
      clock,
      reach: carryOn,
      log: () => undefined,
      code: { ...code, ...ownCode },
      settings: readHubSettings(section, () => undefined),
      tokenFor: () => Promise.reject(new Error('There is no identity here.')),
    })
    const life: Life = {
      hub,
      dieWhen: (isSo) => void (isTheEnd = isSo),
      die: () => void (isDead = true),
      isDead: () => isDead,
    }
    lives.push(life)
    return life
  }

  return { disk, clock: virtual, code, begin }
}

/** A door that is shut until it is opened. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = () => undefined as void
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { opened, open: () => open() }
}

/** Resolves when the first turn of its execution is on disk. */
export const firstTurnOf = (hub: TaskHub, id: string): Promise<boolean> =>
  until(`${id} has had its first turn`, async () => hub.historyOf(id).length > 2, soon)

export const isOver = (hub: TaskHub, id: string): boolean => hasEnded(hub.find(id)?.status ?? 'Pending')

/** Resolves when it has ended. */
export const endOf = (hub: TaskHub, id: string): Promise<InstanceRow> =>
  until(
    `${id} has ended`,
    async () => {
      const row = hub.find(id)
      return row && hasEnded(row.status) && row
    },
    soon,
  )

// What the host's thread asks of the thread that runs the app: the process's main one, so that the app finds itself as in a process of its own.

import { loadWorker } from './functions/load-app.js'
import type { AppDeclaration, Invocation, Worker } from './functions/worker.js'
import type { AppPlace } from './host.js'
import { callDirectly } from './hub-calls.js'
import type { Log } from './log.js'
import type { HubApi } from './taskhub/hub-api.js'

export type AppThread = ReturnType<typeof appThread>

/** @param folder of the compiled app */
export function appThread(folder: string, log: Log, askHub: HubApi) {
  let worker: Worker | undefined
  const loaded = (): Worker => {
    if (!worker) throw new Error('The app is not loaded.')
    return worker
  }
  return {
    async load({ hostname, hubUrl }: AppPlace): Promise<AppDeclaration> {
      callDirectly(folder, hubUrl, askHub)
      worker = await loadWorker({ folder, hostname, log })
      const { hostJson, functions, streamUri } = worker
      return { hostJson, functions, streamUri }
    },
    invoke: (name: string, invocation: Invocation) => loaded().invoke(name, invocation),
    replay: (name: string, invocation: Invocation, session?: string) => loaded().replay(name, invocation, session),
    resume: (name: string, session: string, news: string, known: number) => loaded().resume(name, session, news, known),
    turns: () => loaded().turns(),
    stop: () => worker?.stop(),
  }
}

// Loads an app's entry point and nothing else, as the platform's worker does first of all, and says what it took: node dist/bench/load.js FILE

import { createRequire } from 'node:module'
import { provideCoreModule } from '../embedded/functions/core-module.js'

const [file = ''] = process.argv.slice(2)
const { registrations } = provideCoreModule(() => undefined)
const memoryBefore = process.memoryUsage.rss()
const cpuBefore = process.cpuUsage()
const bornAt = performance.now()
createRequire(file)(file)
const ms = performance.now() - bornAt
const { user, system } = process.cpuUsage(cpuBefore)
const figures = { ms, 'ms of CPU': (user + system) / 1_000, MB: (process.memoryUsage.rss() - memoryBefore) / 2 ** 20 }
process.stdout.write(JSON.stringify({ functions: registrations.size, figures }))

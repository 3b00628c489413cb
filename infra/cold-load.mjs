// What it takes to load the app in dist/package: processor time, the median of nine new processes. On the platform a worker that starts does this before anything else.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const { Values } = JSON.parse(readFileSync('local.settings.example.json', 'utf8'))
const load = `
  const begun = process.cpuUsage()
  console.warn = () => undefined
  require('./dist/src/main.js')
  const { user, system } = process.cpuUsage(begun)
  console.log((user + system) / 1_000)
  process.exit()`

const times = Array.from({ length: 9 }, () =>
  Number(
    execFileSync(process.execPath, ['-e', load], {
      cwd: 'dist/package',
      encoding: 'utf8',
      env: { ...process.env, ...Values },
    }),
  ),
).toSorted((one, other) => one - other)
console.log(
  `The app loads in ${Math.round(times[4])} ms of the processor (${Math.round(times[0])} to ${Math.round(times[8])}).`,
)

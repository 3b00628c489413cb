// Puts what is deployed, and nothing else, into dist/package: the compiled app, host.json, and its dependencies.

import { execSync } from 'node:child_process'
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const target = join('dist', 'package')
const run = (command, cwd) => execSync(command, { cwd, stdio: 'inherit' })

run('npm run build')
rmSync(target, { recursive: true, force: true })
for (const part of ['host.json', 'package.json', 'package-lock.json', join('dist', 'src')])
  cpSync(part, join(target, part), { recursive: true })
run('npm ci --omit=dev --ignore-scripts --no-audit --no-fund', target)

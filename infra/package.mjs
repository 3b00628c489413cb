// Puts what is deployed, and nothing else, into dist/package: the compiled app, host.json, and its dependencies.
// With --bundle, or BUNDLE=true, the app and its dependencies are one file, which loads faster and needs no node_modules.

import { execSync } from 'node:child_process'
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const target = join('dist', 'package')
const run = (command, cwd) => execSync(command, { cwd, stdio: 'inherit' })

run('npm run build')
if (process.argv.includes('--bundle') || process.env.BUNDLE === 'true') run(`node infra/bundle.mjs ${target}`)
else {
  rmSync(target, { recursive: true, force: true })
  for (const part of ['host.json', 'package.json', 'package-lock.json', join('dist', 'src')])
    cpSync(part, join(target, part), { recursive: true })
  run('npm ci --omit=dev --ignore-scripts --no-audit --no-fund', target)
}

// Puts what is deployed, and nothing else, into dist/package: the compiled app, host.json, and its dependencies.
// With --bundle, or BUNDLE=true, the app and its dependencies are one file, which loads faster and needs no node_modules.

import { execSync } from 'node:child_process'
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import app from '../package.json' with { type: 'json' }

const target = join('dist', 'package')
const run = (command, cwd) => execSync(command, { cwd, stdio: 'inherit' })

run('npm run build')
rmSync(target, { recursive: true, force: true })
mkdirSync(target, { recursive: true })
cpSync('host.json', join(target, 'host.json'))
if (process.argv.includes('--bundle') || process.env.BUNDLE === 'true') {
  await build({
    entryPoints: [app.main],
    outfile: join(target, app.main),
    bundle: true,
    platform: 'node',
    target: 'node20',
    // The platform's worker brings it.
    external: ['@azure/functions-core'],
    // Errors and logs name classes.
    keepNames: true,
    logLevel: 'warning',
  })
  const { name, version, main, type } = app
  writeFileSync(join(target, 'package.json'), JSON.stringify({ name, version, main, type }, null, 2))
} else {
  for (const part of ['package.json', 'package-lock.json', join('dist', 'src')])
    cpSync(part, join(target, part), { recursive: true })
  run('npm ci --omit=dev --ignore-scripts --no-audit --no-fund', target)
}

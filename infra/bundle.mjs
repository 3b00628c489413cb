// Puts the compiled app and its dependencies into one file, beside its host.json, package.json and the console's page: dist/bundle, or the folder that is given.

import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import app from '../package.json' with { type: 'json' }

const [target = join('dist', 'bundle')] = process.argv.slice(2)

rmSync(target, { recursive: true, force: true })
mkdirSync(target, { recursive: true })
await build({
  entryPoints: [app.main],
  outfile: join(target, 'main.js'),
  bundle: true,
  platform: 'node',
  target: 'node20',
  // The platform's worker brings it.
  external: ['@azure/functions-core'],
  // Errors and logs name classes.
  keepNames: true,
  // The SDK of telemetry is large, and read whether it is wanted or not.
  minifyWhitespace: true,
  minifySyntax: true,
  logLevel: 'warning',
})
cpSync('host.json', join(target, 'host.json'))
// Read by their path beside the code that serves them.
cpSync(join('dist', 'src', 'console', 'page'), join(target, 'page'), { recursive: true })
const { name, version, license, type, engines } = app
const manifest = { name, version, private: true, license, type, main: 'main.js', engines }
writeFileSync(join(target, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`)

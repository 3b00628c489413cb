// Puts the compiled app and its dependencies into one file, and telemetry into another, beside its host.json, package.json and the console's page: dist/bundle, or the folder that is given.

import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import app from '../package.json' with { type: 'json' }

const [target = join('dist', 'bundle')] = process.argv.slice(2)

rmSync(target, { recursive: true, force: true })
mkdirSync(target, { recursive: true })
/** Its SDK is larger than all the rest, and loaded only where there is somebody to send to: it gets a file of its own. */
const telemetry = './azure-monitor.js'
const apart = {
  name: 'apart',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\.\/azure-monitor\.js$/ }, () => ({ path: telemetry, external: true })),
}

const options = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  // The platform's worker brings it.
  external: ['@azure/functions-core'],
  // Errors and logs name classes.
  keepNames: true,
  logLevel: 'error',
}
await build({ ...options, entryPoints: [app.main], outfile: join(target, 'main.js'), plugins: [apart] })
const source = join('dist', 'src', 'telemetry', telemetry)
await build({ ...options, entryPoints: [source], outfile: join(target, telemetry) })
cpSync('host.json', join(target, 'host.json'))
// Read by their path beside the code that serves them.
cpSync(join('dist', 'src', 'console', 'page'), join(target, 'page'), { recursive: true })
const { name, version, license, type, engines } = app
const manifest = { name, version, private: true, license, type, main: 'main.js', engines }
writeFileSync(join(target, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`)

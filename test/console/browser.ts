// A Chromium for tests that needs nothing installed: it comes packed in an npm package for Linux on x64, with its libraries and a font.
// Anywhere else the Chrome of the machine is taken, or what CHROMIUM points to.

import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Browser, chromium, type LaunchOptions } from 'playwright-core'

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Headless, with a new and empty profile. */
export async function launchBrowser(): Promise<Browser> {
  return chromium.launch({ args: flags, ...(await placeOfBrowser()) })
}

async function placeOfBrowser(): Promise<LaunchOptions> {
  const { env, platform, arch } = process
  if (env['CHROMIUM']) return { executablePath: env['CHROMIUM'] }
  if (platform !== 'linux' || arch !== 'x64') return { channel: 'chrome' }
  const folder = await unpacked()
  return {
    executablePath: join(folder, 'chromium'),
    env: { ...env, LD_LIBRARY_PATH: join(folder, 'al2023/lib'), FONTCONFIG_PATH: folder },
  }
}

/** Unpacked once, beside the package that it comes from. */
async function unpacked(): Promise<string> {
  const folder = resolve('node_modules/.cache/console-browser-143.0.4')
  if (existsSync(folder)) return folder
  const own = `${folder}.${process.pid}`
  mkdirSync(own, { recursive: true })
  // The package unpacks into the system's folder for temporary files, and its libraries only where it takes the machine for one of AWS.
  const { TMPDIR, AWS_EXECUTION_ENV } = process.env
  Object.assign(process.env, { TMPDIR: own, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs20.x' })
  try {
    const { default: packed } = await import('@sparticuz/chromium')
    await packed.executablePath()
  } finally {
    restore({ TMPDIR, AWS_EXECUTION_ENV })
  }
  writeFileSync(
    join(own, 'fonts.conf'),
    `<fontconfig><include ignore_missing="yes">/etc/fonts/fonts.conf</include><dir>${join(folder, 'fonts')}</dir><cachedir>${join(folder, 'font-cache')}</cachedir></fontconfig>`,
  )
  try {
    renameSync(own, folder)
  } catch {
    // Another run was faster.
    rmSync(own, { recursive: true, force: true })
  }
  return folder
}

function restore(variables: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
}

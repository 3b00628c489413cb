// What the embedded runtime says about itself and passes on from the app: one line on the console each.

export type Level = 'debug' | 'info' | 'warn' | 'error'

/** @param source who speaks: `broker`, `hub`, `host`, or the name of one of the app's functions. */
export type Log = (level: Level, source: string, message: string) => void

const severity = { debug: 0, info: 1, warn: 2, error: 3 } as const

/** Writes lines of at least the given level: warnings and errors to stderr, the rest to stdout. */
export function consoleLog(least: Level): Log {
  return (level, source, message) => {
    if (severity[level] < severity[least]) return
    const stream = severity[level] >= severity.warn ? process.stderr : process.stdout
    stream.write(`${new Date().toISOString()} ${level.padEnd(5)} [${source}] ${message}\n`)
  }
}

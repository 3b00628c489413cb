// npm start's program, with all that it says about itself in the file that LOG_FILE names.

const { appendFileSync } = require('node:fs')

for (const stream of [process.stdout, process.stderr])
  stream.write = (text) => {
    appendFileSync(process.env.LOG_FILE, text)
    return true
  }
module.exports = require('../../dist/local/start.js')

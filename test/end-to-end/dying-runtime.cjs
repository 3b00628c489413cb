// The embedded runtime with the app of this repository, made to die at the point that DIE_AT names when it is reached for the DIE_AT_COUNT-th time.

const path = require('node:path')
const { startRuntime } = require('../../dist/embedded/runtime.js')

const { DATA_DIR, PORT, AMQP_PORT, DIE_AT, DIE_AT_COUNT } = process.env
void startRuntime({
  app: path.join(__dirname, '../..'),
  data: DATA_DIR,
  port: Number(PORT),
  amqpPort: Number(AMQP_PORT),
  dies: { at: DIE_AT, nth: Number(DIE_AT_COUNT) },
})

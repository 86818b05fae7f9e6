// An Aedes broker on the loopback; the port is the first argument.
const { createServer } = require('node:net')
const { Aedes } = require('aedes')

Aedes.createBroker().then(broker => {
  createServer(broker.handle).listen(Number(process.argv[2]), '127.0.0.1', () => console.log('listening'))
})

#!/usr/bin/env node
// An agent's desk: node desk.js DATA QUEUE [CLIENT]. Prints an offer as a line of JSON, reads its outcome as a line such as
// ACCEPTED, and so on until the input ends. Every question is asked again until it is answered: a repeat is harmless.
const { randomUUID } = require("crypto");
const readline = require("readline");
const { Dealer } = require("zeromq");

class Desk {
  constructor(data, client) {
    this.socket = new Dealer({ linger: 1000 });
    this.socket.connect(`ipc://${data}/run/queue.sock`);
    this.client = client;
    this.session = randomUUID();                                // ids start anew with a session
    [this.last, this.waiting] = [0, new Map()];
    this.listen();
  }
  async listen() {
    for await (const [frame] of this.socket) {
      const message = JSON.parse(frame.toString());
      if (message.push) await this.pushed(message);
      else this.waiting.get(message.id)?.(message);
    }
  }
  async pushed(message) {
    if (message.push !== "WITHDRAW") return console.error(JSON.stringify(message));
    await this.say({ id: ++this.last, verb: "ACK", offer_id: message.offer_id, epoch: message.epoch });
  }
  // A socket takes one send at a time.
  say(question) { return (this.sending = (this.sending ?? Promise.resolve()).then(() => this.socket.send(JSON.stringify(question)))); }
  hello() { return this.ask("HELLO", { client: this.client, session: this.session }); }
  async ask(verb, words) {
    const question = { id: ++this.last, verb, ...words };
    for (;;) {
      await this.say(question);
      let timer;
      const answer = await new Promise((done) => {
        this.waiting.set(question.id, done);
        timer = setTimeout(done, 2000 + (words.wait_ms ?? 0));
      });
      clearTimeout(timer);
      if (answer?.code === "UNKNOWN_SESSION" && verb !== "HELLO") await this.hello();   // our leases still stand
      else if (answer) return this.waiting.delete(question.id) && answer;
    }
  }
}

(async () => {
  const [data, queue, client = "desk-js"] = process.argv.slice(2);
  const desk = new Desk(data, client), lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  await desk.hello();
  for (;;)
    for (const offer of (await desk.ask("PULL", { queue, credit: 1, wait_ms: 5000 })).offers) {
      console.log(JSON.stringify(offer));
      const lease = { offer_id: offer.offer_id, epoch: offer.epoch }, { value: code } = await lines.next();
      if (!code) return process.exit((await desk.ask("RELEASE", { reason: "the shift has ended", ...lease })) ? 0 : 1);
      const answer = await desk.ask("DISPOSE", { code, ...lease });
      console.log(JSON.stringify({ offer_id: offer.offer_id, outcome: code, answer: answer.code ?? "OK" }));
    }
})();

#!/usr/bin/env node
// Prints what the feed says, one JSON object a line: node listen.js DATA [TOPIC [FROM]]; a topic is offer.marketing, segment, churn,
// overdue. With FROM it begins at that number of the topic and leaves nothing out: what it has missed it asks for. Whoever keeps
// the last `seq` it has dealt with goes on at seq + 1 after any stop.
const { Dealer, Subscriber } = require("zeromq");

const [data, topic = "", from] = process.argv.slice(2);
let id = 0;

// What the topic has said from `first` on, up to `until`, or up to now.
async function replay(first, until = Infinity) {
  const query = new Dealer({ linger: 0, receiveTimeout: 5000 });
  query.connect(`ipc://${data}/run/query.sock`);
  while (first < until) {
    await query.send(JSON.stringify({ id: ++id, verb: "Replay", topic, from_seq: first, limit: 1000 }));
    const [frame] = await query.receive().catch(() => ["{}"]), answer = JSON.parse(frame);
    if (answer.code === "NOT_FOUND") throw new Error(answer.text);
    if (!answer.ok) {
      await new Promise((resolve) => setTimeout(resolve, 500)); // it is starting, or does not answer: asked again
      continue;
    }
    const messages = answer.messages;
    for (const message of messages)
      if (message.seq === first && first < until) console.log(JSON.stringify(message)), (first += 1);
    if (until === Infinity && messages.length === 0) break; // what is very fresh comes live, and the gap is asked for then
  }
  query.close();
  return first;
}

(async () => {
  const live = new Subscriber({ receiveHighWaterMark: 100000 });
  live.connect(`ipc://${data}/run/feed.sock`);
  live.subscribe(topic); // before the past is read: what comes meanwhile waits
  let wanted = from === undefined ? null : await replay(Number(from));
  for await (const [, message] of live) {
    if (wanted !== null) {
      const { seq } = JSON.parse(message);
      if (seq < wanted) continue; // printed from the past already
      if (seq > wanted) await replay(wanted, seq);
      wanted = seq + 1;
    }
    console.log(message.toString());
  }
})();

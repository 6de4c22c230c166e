#!/usr/bin/env node
// Prints what the feed says, one JSON object a line: node listen.js DATA [TOPIC]; a topic is offer.marketing, segment, churn, overdue.
const { Subscriber } = require("zeromq");

(async () => {
  const [data, topic = ""] = process.argv.slice(2), socket = new Subscriber();
  socket.connect(`ipc://${data}/run/feed.sock`);
  socket.subscribe(topic);
  for await (const [, message] of socket) console.log(message.toString());
})();

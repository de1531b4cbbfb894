// A reader as browsers are one: an EventSource for each address that it is given. Node's own needs
// NODE_OPTIONS=--experimental-eventsource. Plain JavaScript: it runs in a process of its own.
const { EventSource } = globalThis;

for (const [index, address] of process.argv.slice(2).entries()) {
  const source = new EventSource(address);
  source.onopen = () => console.log(`${index} open`);
  source.onerror = () => console.log(`${index} broken`);
  source.onmessage = ({ data }) => console.log(`${index} event ${JSON.parse(data).id}`);
}

setInterval(() => {}, 60_000); // while it waits to come back, nothing else keeps the process

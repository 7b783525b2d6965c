// Prints how Node.js was started.
const { execArgv, env } = process;
console.log(JSON.stringify({ execArgv, env }));

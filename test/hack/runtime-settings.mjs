// Prints how Node.js was started.
const { execArgv, env } = process;
process.stdout.write(JSON.stringify({ execArgv, env }));

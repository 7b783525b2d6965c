/** Resolves as soon as `condition` holds; fails after `patience` milliseconds. For what happens on real sockets. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  what = 'the condition',
  patience = 10_000,
): Promise<void> {
  const end = performance.now() + patience;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`${what} did not come true`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

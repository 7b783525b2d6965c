// Rules and texts for label keys and values: k8s.io/apimachinery validation, as Kubernetes 1.33 words them.
const keyFormat = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const valueFormat = `(${keyFormat})?`;
const subdomainFormat = '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*';

const keyPattern = new RegExp(`^${keyFormat}$`);
const valuePattern = new RegExp(`^${valueFormat}$`);
const subdomainPattern = new RegExp(`^${subdomainFormat}$`);

const alphabet =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const keyRule = rule(alphabet, keyFormat, 'MyName', 'my.name', '123-abc');
const valueRule = rule(
  `a valid label must be an empty string or ${alphabet.replace('must ', '')}`,
  valueFormat,
  'MyValue',
  'my_value',
  '12345',
);
const subdomainRule = rule(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  subdomainFormat,
  'example.com',
);

/** What is wrong with a label key (a "qualified name"): an optional DNS subdomain and `/`, then a name. Empty when it is valid. */
export function labelKeyProblems(key: string): string[] {
  const parts = key.split('/');
  if (parts.length > 2)
    return [`a qualified name ${keyRule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  const name = parts.at(-1) ?? '';
  const prefix = parts.length === 2 ? parts[0] : undefined;
  const problems: string[] = [];
  if (prefix === '') problems.push('prefix part must be non-empty');
  else if (prefix !== undefined) {
    if (Buffer.byteLength(prefix) > 253) problems.push('prefix part must be no more than 253 characters');
    if (!subdomainPattern.test(prefix)) problems.push(`prefix part ${subdomainRule}`);
  }
  if (name === '') problems.push('name part must be non-empty');
  else if (Buffer.byteLength(name) > 63) problems.push('name part must be no more than 63 characters');
  if (!keyPattern.test(name)) problems.push(`name part ${keyRule}`);
  return problems;
}

/** What is wrong with a label value: at most 63 bytes of the same alphabet, or empty. */
export function labelValueProblems(value: string): string[] {
  const problems: string[] = [];
  if (Buffer.byteLength(value) > 63) problems.push('must be no more than 63 characters');
  if (!valuePattern.test(value)) problems.push(valueRule);
  return problems;
}

function rule(text: string, format: string, ...examples: string[]): string {
  const listed = examples.map((example) => `'${example}', `).join(' or ');
  return `${text} (e.g. ${listed}regex used for validation is '${format}')`;
}

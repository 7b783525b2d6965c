export function thirdPartyLicenses(inputs: readonly string[]): string;

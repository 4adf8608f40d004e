export function explainNpmFailure(output: string): { why: string; next: string };

// Prints what MDN's HTTP Observatory and Google's CSP Evaluator say of one address, as JSON.
//
//     node judge.mjs HOST:PORT      HOST is looked up nowhere: it is this computer
import dns from 'node:dns';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { CspEvaluator } from 'csp_evaluator/dist/evaluator.js';
import { Severity } from 'csp_evaluator/dist/finding.js';
import { CspParser } from 'csp_evaluator/dist/parser.js';

const [address] = process.argv.slice(2);

dns.lookup = (_host, options, callback) => {
  const tell = callback ?? options;
  if (options?.all) tell(null, [{ address: '127.0.0.1', family: 4 }]);
  else tell(null, '127.0.0.1', 4);
};

// The Observatory fetches this list when it is installed, which runs a script of its own. No name of ours is on it.
const home = path.dirname(createRequire(import.meta.url).resolve('@mdn/mdn-http-observatory/package.json'));
fs.writeFileSync(path.join(home, 'conf', 'hsts-preload.json'), '{}');

const { scan } = await import('@mdn/mdn-http-observatory');
const observed = await scan(address);
const policy = observed.scan.responseHeaders['content-security-policy'] ?? '';
const findings = new CspEvaluator(new CspParser(policy).csp).evaluate();

console.log(JSON.stringify({
  grade: observed.scan.grade,
  score: observed.scan.score,
  tests: Object.entries(observed.tests).map(([name, test]) => ({
    name, pass: test.pass, result: test.result, points: test.scoreModifier,
  })),
  policy,
  findings: findings.map(({ severity, directive, value, description }) => ({
    severity, grade: Severity[severity], directive, value, description,
  })),
}));

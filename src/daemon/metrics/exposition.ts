/** Prometheus' text format 0.0.4: families of samples, each with its help and type. */

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export type Labels = Readonly<Record<string, string>>;
export type Sample = readonly [labels: Labels, value: number];

export class Exposition {
  #text = '';

  gauge(name: string, help: string, samples: readonly Sample[]): void {
    this.#family(name, 'gauge', help, samples);
  }

  /** @param name ends with _total */
  counter(name: string, help: string, samples: readonly Sample[]): void {
    this.#family(name, 'counter', help, samples);
  }

  /** How long things took: how many, and seconds in all. */
  summary(
    name: string,
    help: string,
    samples: readonly (readonly [labels: Labels, count: number, sum: number])[],
  ): void {
    if (samples.length === 0) return;
    this.#head(name, 'summary', help);
    for (const [labels, count, sum] of samples) {
      this.#sample(`${name}_sum`, labels, sum);
      this.#sample(`${name}_count`, labels, count);
    }
  }

  get text(): string {
    return this.#text;
  }

  /** Of what there is none nothing is said. */
  #family(name: string, type: string, help: string, samples: readonly Sample[]): void {
    if (samples.length === 0) return;
    this.#head(name, type, help);
    for (const [labels, value] of samples) this.#sample(name, labels, value);
  }

  #head(name: string, type: string, help: string): void {
    this.#text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
  }

  #sample(name: string, labels: Labels, value: number): void {
    const words = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    this.#text += `${name}${words.length === 0 ? '' : `{${words.join(',')}}`} ${value}\n`;
  }
}

/** In a label nothing can end it, and it is one line. Half a character would be no UTF-8. */
function escaped(text: string): string {
  return text
    .replaceAll(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`))
    .replaceAll(/\p{Surrogate}/gu, '\ufffd');
}

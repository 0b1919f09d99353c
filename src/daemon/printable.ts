/** Text from peers and files, made fit for a line of a log or a terminal. */

/** Control characters, line separators, and marks that turn the direction of text around, each as '?'. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- that is what is replaced
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, '?');
}

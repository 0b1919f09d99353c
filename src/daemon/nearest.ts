/** "Did you mean …": the word that somebody may have meant. */

/** @returns the known word that is the fewest slips away, if few enough */
export function nearest<Word extends string>(
  word: string,
  known: readonly Word[],
): Word | undefined {
  const most = word.length < 4 ? 1 : word.length < 10 ? 2 : 3;
  const ranked = known
    .map((each) => [each, slips(plain(word), plain(each))] as const)
    .filter(([each, count]) => count <= most && count < each.length - 1)
    .sort(([, a], [, b]) => a - b);
  return ranked[0]?.[0];
}

/** How it is spelt, not how it is joined. */
function plain(word: string): string {
  return word.toLowerCase().replaceAll(/[-_]/g, '');
}

/** Letters left out, added, changed, or in the other order (optimal string alignment). */
function slips(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      const isTurned = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        last[j]! + 1,
        row[j - 1]! + 1,
        last[j - 1]! + change,
        isTurned ? before[j - 2]! + 1 : Infinity,
      );
    }
    [before, last] = [last, row];
  }
  return last[b.length]!;
}

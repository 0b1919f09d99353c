/** jsdom brings no types, and those of others would bring the DOM's names into the whole project. */
declare module 'jsdom' {
  export class JSDOM {
    constructor(html: string);

    readonly window: any;
  }
}

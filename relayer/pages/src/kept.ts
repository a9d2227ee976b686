/** Which channels and streams this browser opened, or was opening, per deployment. The session key and all totals are in the client's own store beside it. */
import type { Deployment, Opening } from '@rivulet/client';

export interface KeptNumber {
  readonly book: number;
  readonly serial: number;
  readonly id: string;
  /** Of a channel: all that was put into it here. Never more is promised, whatever an RPC says of its deposit. */
  readonly most?: string;
}

export class Kept {
  private readonly key: string;

  constructor({ genesisHash, channels, streams }: Deployment, kind: 'channels' | 'streams') {
    const at = kind === 'channels' ? channels.address : streams.address;
    this.key = `rivulet:pages:${kind}:${genesisHash.slice(0, 18)}:${at}`;
  }

  all(): KeptNumber[] {
    try {
      const found: unknown = JSON.parse(localStorage.getItem(this.key) ?? '[]');
      return Array.isArray(found) ? (found as KeptNumber[]).filter(({ book, serial, id }) => Number.isInteger(book) && Number.isInteger(serial) && typeof id === 'string') : [];
    } catch {
      return [];
    }
  }

  find(id: string): KeptNumber | undefined {
    return this.all().find((one) => one.id === id);
  }

  add({ book, serial, id, most }: KeptNumber): void {
    this.write([{ book, serial, id, ...(most === undefined ? {} : { most }) }, ...this.all().filter((one) => one.id !== id)]);
  }

  /** More was put into a channel. */
  raise(id: string, units: bigint): void {
    this.write(this.all().map((one) => (one.id === id && one.most !== undefined ? { ...one, most: (BigInt(one.most) + units).toString() } : one)));
  }

  remove(id: string): void {
    this.write(this.all().filter((one) => one.id !== id));
  }

  private write(numbers: readonly KeptNumber[]): void {
    localStorage.setItem(this.key, JSON.stringify(numbers));
  }
}

export interface KeptOpening {
  readonly key: string;
  readonly opening: Opening;
}

/** Channels whose opening has begun: written before a wallet is asked, so that one is found whose page was closed before its number was known. */
export class Openings {
  private readonly key: string;

  constructor({ genesisHash, channels }: Deployment) {
    this.key = `rivulet:pages:openings:${genesisHash.slice(0, 18)}:${channels.address}`;
  }

  all(): KeptOpening[] {
    const read = ({ key, opening }: KeptOpening): KeptOpening => {
      const { units, at } = opening;
      return { key, opening: { ...opening, units: BigInt(units), at: { number: BigInt(at.number), timestamp: BigInt(at.timestamp) } } };
    };
    try {
      return (JSON.parse(localStorage.getItem(this.key) ?? '[]') as KeptOpening[]).map(read);
    } catch {
      return [];
    }
  }

  has(key: string): boolean {
    return this.all().some((one) => one.key === key);
  }

  add(opening: Opening): KeptOpening {
    const kept = { key: crypto.randomUUID(), opening };
    this.write([...this.all(), kept]);
    return kept;
  }

  remove(key: string): void {
    this.write(this.all().filter((one) => one.key !== key));
  }

  private write(openings: readonly KeptOpening[]): void {
    localStorage.setItem(this.key, JSON.stringify(openings, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)));
  }
}

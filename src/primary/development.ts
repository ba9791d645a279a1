// What a primary is given by `hello-server dev`, in which a developer saves the next version at any time.

import type { Notice } from '../core/notices.ts';
import type { Log } from '../log/logger.ts';

export interface Development {
  /** Node's options for workers, beside ours. */
  readonly options: readonly string[];
  /** Has `reload` called whenever files were saved, for as long as the process runs. */
  readonly watch: (reload: () => void, log: Log) => void;
  /** The notice as a developer is told it; undefined = not at all. */
  readonly told: (notice: Notice) => Notice | undefined;
}

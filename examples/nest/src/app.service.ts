// A service with a hook that Nest calls when the application ends: once its worker has drained.

import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';

@Injectable()
export class AppService implements OnApplicationShutdown {
  private readonly logger = new Logger(AppService.name);

  greeting(): string {
    return 'Hello from Nest\n';
  }

  onApplicationShutdown(signal?: string): void {
    this.logger.log(`shut down on ${signal}`);
  }
}

import {
  AsyncByteQueue,
  Message,
  type RecordBatch,
  RecordBatchFileWriter,
  RecordBatchStreamWriter,
  type Schema,
} from "apache-arrow";

/** `file`: can be mapped into memory and read anywhere in it. `stream`: read from the front. */
export type IpcForm = "file" | "stream";

/** Record batches as the bytes of Arrow's interprocess format, none of which are copied. */
export class IpcBytes {
  readonly #sink = new ByteList();
  readonly #writer: FileWriter | RecordBatchStreamWriter;

  constructor(form: IpcForm) {
    this.#writer = form === "file" ? new FileWriter() : new RecordBatchStreamWriter();
  }

  begin(schema: Schema): readonly Uint8Array[] {
    this.#writer.reset(this.#sink, schema);
    return this.#sink.take();
  }

  add(batch: RecordBatch): readonly Uint8Array[] {
    this.#writer.write(batch);
    return this.#sink.take();
  }

  end(): readonly Uint8Array[] {
    this.#writer.finish();
    return this.#sink.take();
  }
}

/** Keeps what a writer writes until it is taken. */
class ByteList extends AsyncByteQueue {
  #pieces: Uint8Array[] = [];

  override write(value: Uint8Array): void {
    this.#pieces.push(value);
  }

  take(): readonly Uint8Array[] {
    const taken = this.#pieces;
    this.#pieces = [];
    return taken;
  }
}

/**
 * The format says that a file holds a whole stream, schema first, before its footer. The library
 * leaves the schema out there: other readers that go through from the front need it.
 */
class FileWriter extends RecordBatchFileWriter {
  protected override _writeSchema(schema: Schema): this {
    super._writeSchema(schema);
    return this._writeMessage(Message.from(schema));
  }
}

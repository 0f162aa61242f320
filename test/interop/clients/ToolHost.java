// Runs main classes of Kafka one after another, as if each were a process, so that they share one start of Java. Connects to the
// port args[0] of this machine. A request is a line: the class, its standard input and its arguments; the answer one with the exit
// code, what it wrote to standard output and what to standard error. All but the class and the code are in base 64, after tabs.
import java.io.*;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.concurrent.*;
import org.apache.kafka.common.utils.Exit;

public class ToolHost {
  static final Relay out = new Relay();
  static final Relay err = new Relay();
  static final Source in = new Source();
  static volatile Run current;

  /** Loggers and Scala's Console keep the stream that they find first, so that one stays and leads elsewhere. */
  static class Relay extends OutputStream {
    volatile OutputStream to = OutputStream.nullOutputStream();
    @Override public void write(int value) throws IOException { to.write(value); }
    @Override public void write(byte[] bytes, int offset, int length) throws IOException { to.write(bytes, offset, length); }
  }

  /** Scala's Console keeps the first one, too. */
  static class Source extends InputStream {
    volatile InputStream from = InputStream.nullInputStream();
    @Override public int read() throws IOException { return from.read(); }
    @Override public int read(byte[] bytes, int offset, int length) throws IOException { return from.read(bytes, offset, length); }
  }

  static class Run {
    final CompletableFuture<Integer> code = new CompletableFuture<>();
    final List<Runnable> hooks = new CopyOnWriteArrayList<>();
  }

  public static void main(String[] args) throws Exception {
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
    System.setIn(in);
    Exit.setExitProcedure((code, message) -> end(code));
    Exit.setHaltProcedure((code, message) -> end(code));
    Exit.setShutdownHookAdder((name, hook) -> current.hooks.add(hook));
    try (Socket socket = new Socket("127.0.0.1", Integer.parseInt(args[0]))) {
      BufferedReader requests = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
      Writer answers = new OutputStreamWriter(socket.getOutputStream(), StandardCharsets.US_ASCII);
      for (String request = requests.readLine(); request != null; request = requests.readLine()) {
        answers.write(answerTo(request.split("\t", -1)) + "\n");
        answers.flush();
      }
    }
    System.exit(0);
  }

  static String answerTo(String[] request) throws Exception {
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    ByteArrayOutputStream errors = new ByteArrayOutputStream();
    out.to = output;
    err.to = errors;
    in.from = new ByteArrayInputStream(Base64.getDecoder().decode(request[1]));
    String[] args = Arrays.stream(request).skip(2).map(ToolHost::decoded).toArray(String[]::new);
    Run run = new Run();
    current = run;
    Thread thread = new Thread(() -> {
      try {
        Class.forName(request[0]).getMethod("main", String[].class).invoke(null, (Object) args);
        run.code.complete(0);
      } catch (Throwable thrown) {
        Throwable cause = thrown.getCause() == null ? thrown : thrown.getCause();
        System.err.print("Exception in thread \"main\" ");
        cause.printStackTrace();
        run.code.complete(1);
      }
    }, "main");
    thread.setDaemon(true);
    thread.start();
    int code = run.code.get();
    for (Runnable hook : run.hooks) hook.run();
    return code + "\t" + encoded(output) + "\t" + encoded(errors);
  }

  /** Nothing of the tool goes on behind it, not even what would catch an exception. */
  static void end(int code) {
    current.code.complete(code);
    for (;;) {
      try {
        Thread.sleep(Long.MAX_VALUE);
      } catch (InterruptedException ignored) {
        // it has ended
      }
    }
  }

  static String decoded(String text) { return new String(Base64.getDecoder().decode(text), StandardCharsets.UTF_8); }
  static String encoded(ByteArrayOutputStream bytes) { return Base64.getEncoder().encodeToString(bytes.toByteArray()); }
}

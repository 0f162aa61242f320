import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import org.apache.zookeeper.ZooKeeperMain;

/** Apache's zkCli, given lines on standard input: tells of each what is printed, errors too, and how a process would end with it. */
public class CliLines {
    public static void main(String[] args) throws Exception {
        // Before the commands look for it.
        System.setErr(new PrintStream(new FileOutputStream(FileDescriptor.out), true));
        new Shell(args).runAll();
        System.exit(0);
    }

    private static class Shell extends ZooKeeperMain {
        Shell(String[] args) throws IOException, InterruptedException {
            super(args);
            printWatches = false;
        }

        void runAll() throws IOException {
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                System.out.println("### " + line);
                try {
                    executeLine(line);
                } catch (Exception fault) {
                    System.out.println(fault instanceof NumberFormatException ? fault.toString() : fault.getMessage());
                    exitCode = 1;
                }
                System.out.println("=> " + exitCode);
            }
        }
    }
}

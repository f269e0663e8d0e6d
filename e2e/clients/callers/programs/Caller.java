import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/** java Caller.java BASE: does the tasks on its standard input (callers/tasks.ts) with java.net.http. */
class Caller {
    // It asks for HTTP/2 by an upgrade unless it is told not to, as callers mostly do not.
    static final HttpClient client =
            HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NORMAL).build();

    static HttpRequest request(String base, String[] words) {
        var body = BodyPublishers.noBody();
        int size = Integer.parseInt(words[2]);
        if (size >= 0) {
            byte[] bytes = new byte[size];
            for (int place = 0; place < size; place++) bytes[place] = (byte) (97 + place % 26);
            body = words[3].equals("1")
                    ? BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(bytes))
                    : BodyPublishers.ofByteArray(bytes);
        }
        var made = HttpRequest.newBuilder(URI.create(base + words[1])).method(words[0], body);
        if (!words[5].isEmpty()) made.header("x-test", words[5]);
        return made.expectContinue(words[4].equals("1")).build();
    }

    static String told(HttpResponse<byte[]> answer, Throwable error) {
        if (error != null) return "error\t" + error.toString().replace('\n', ' ');
        try {
            var digest = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(answer.body()));
            var length = answer.headers().firstValue("content-length").orElse("");
            return answer.statusCode() + "\t" + digest + "\t" + length;
        } catch (java.security.NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    static CompletableFuture<String> once(String base, String[] words) {
        return client.sendAsync(request(base, words), BodyHandlers.ofByteArray()).handle(Caller::told);
    }

    public static void main(String[] arguments) throws Exception {
        var lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] words = line.split("\t", -1);
            int times = Integer.parseInt(words[6]);
            Stream<CompletableFuture<String>> all = Stream.generate(() -> once(arguments[0], words)).limit(times);
            if (words[7].equals("1")) {
                List<CompletableFuture<String>> begun = all.toList();
                for (var answer : begun) System.out.println(answer.join());
            } else {
                all.map(CompletableFuture::join).forEach(System.out::println);
            }
        }
        System.exit(0);
    }
}

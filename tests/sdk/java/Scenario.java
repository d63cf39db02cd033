import com.azure.communication.common.CommunicationTokenCredential;
import com.azure.communication.common.CommunicationUserIdentifier;
import com.azure.communication.identity.CommunicationIdentityClient;
import com.azure.communication.identity.CommunicationIdentityClientBuilder;
import com.azure.communication.identity.CommunicationIdentityServiceVersion;
import com.azure.communication.identity.implementation.models.CommunicationError;
import com.azure.communication.identity.implementation.models.CommunicationErrorResponse;
import com.azure.communication.identity.models.CommunicationTokenScope;
import com.azure.communication.identity.models.CommunicationUserIdentifierAndToken;
import com.azure.communication.identity.models.GetTokenForTeamsUserOptions;
import com.azure.communication.identity.models.IdentityError;
import com.azure.core.credential.AccessToken;
import com.azure.core.exception.HttpResponseException;
import com.azure.core.http.policy.FixedDelayOptions;
import com.azure.core.http.policy.RetryOptions;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;

/**
 * What a user of the official Java client does; prints what it saw, a line of JSON for each step.
 * The same steps as ../python/scenario.py. Its one argument is the api-version.
 */
public class Scenario {
    private static final CommunicationUserIdentifier FOREIGN = new CommunicationUserIdentifier(
        "8:acs:00000000-0000-0000-0000-000000000000_00000000-0000-0000-0000-000000000000");
    private static final List<CommunicationTokenScope> SCOPES = values("SCOPES").stream()
        .map(CommunicationTokenScope::fromString).collect(Collectors.toList());
    private static final List<Duration> LIFETIMES = values("MINUTES").stream()
        .map(minutes -> Duration.ofMinutes(Long.parseLong(minutes))).collect(Collectors.toList());

    private final String version;

    private Scenario(String version) {
        this.version = version;
    }

    public static void main(String[] arguments) throws Exception {
        new Scenario(arguments[0]).run();
        // The client's own threads would keep the process for a while.
        System.exit(0);
    }

    private void run() throws Exception {
        CommunicationIdentityClient client = connect("COMMUNICATION_SERVICES_CONNECTION_STRING");
        CommunicationUserIdentifier user = record("create_user", client::createUser);
        issue(client, user);
        readToken(client.getToken(user, SCOPES).getToken());
        revokeAndDelete(client);
        record("get_token_for_teams_user", () -> client.getTokenForTeamsUser(
            new GetTokenForTeamsUserOptions("token", "application", "user")));
        record("create_user secondary key", connect("SECONDARY_CONNECTION_STRING")::createUser);
        record("create_user wrong key", connect("WRONG_KEY_CONNECTION_STRING")::createUser);
    }

    private static void issue(CommunicationIdentityClient client, CommunicationUserIdentifier user) throws Exception {
        List<List<CommunicationTokenScope>> sets = new ArrayList<>();
        SCOPES.forEach(scope -> sets.add(List.of(scope)));
        sets.add(SCOPES);
        for (List<CommunicationTokenScope> scopes : sets) {
            String words = scopes.stream().map(Object::toString).collect(Collectors.joining(","));
            record("create_user_and_token " + words, () -> client.createUserAndToken(scopes));
            record("get_token " + words, () -> client.getToken(user, scopes));
            for (Duration lifetime : LIFETIMES) {
                String named = words + " " + lifetime.toMinutes();
                record("create_user_and_token " + named, () -> client.createUserAndToken(scopes, lifetime));
                record("get_token " + named, () -> client.getToken(user, scopes, lifetime));
            }
        }
        record("get_token no scopes", () -> client.getToken(user, List.of()));
    }

    private static void readToken(String token) throws Exception {
        try (CommunicationTokenCredential credential = new CommunicationTokenCredential(token)) {
            record("credential", () -> credential.getToken().block());
        }
    }

    private static void revokeAndDelete(CommunicationIdentityClient client) throws Exception {
        CommunicationUserIdentifier user =
            record("token before revocation", () -> client.createUserAndToken(SCOPES)).getUser();
        record("revoke_tokens", () -> revoke(client, user));
        record("token after revocation", () -> client.getToken(user, SCOPES));
        CommunicationUserIdentifier deleted =
            record("token before deletion", () -> client.createUserAndToken(SCOPES)).getUser();
        record("delete_user", () -> delete(client, deleted));
        refuse(client, "deleted", deleted);
        refuse(client, "foreign", FOREIGN);
    }

    private static void refuse(CommunicationIdentityClient client, String name, CommunicationUserIdentifier whose)
        throws Exception {
        record("get_token " + name, () -> client.getToken(whose, SCOPES));
        record("revoke_tokens " + name, () -> revoke(client, whose));
        record("delete_user " + name, () -> delete(client, whose));
    }

    private static Void revoke(CommunicationIdentityClient client, CommunicationUserIdentifier user) {
        client.revokeTokens(user);
        return null;
    }

    private static Void delete(CommunicationIdentityClient client, CommunicationUserIdentifier user) {
        client.deleteUser(user);
        return null;
    }

    private CommunicationIdentityClient connect(String variable) {
        return new CommunicationIdentityClientBuilder()
            .connectionString(System.getenv(variable))
            .serviceVersion(Arrays.stream(CommunicationIdentityServiceVersion.values())
                .filter(each -> each.getVersion().equals(version)).findFirst().orElseThrow())
            .retryOptions(new RetryOptions(new FixedDelayOptions(0, Duration.ZERO)))
            .buildClient();
    }

    private static <T> T record(String step, Callable<T> operation) throws Exception {
        Map<String, Object> seen = new LinkedHashMap<>();
        seen.put("step", step);
        T result = null;
        try {
            result = operation.call();
            describe(result, seen);
        } catch (HttpResponseException error) {
            seen.put("error", error.getClass().getSimpleName());
            seen.put("status", error.getResponse().getStatusCode());
            describeError(error.getValue(), seen);
        }
        System.out.println(new ObjectMapper().writeValueAsString(seen));
        return result;
    }

    /** Most operations throw the public error; those that were written later let the generated one through. */
    private static void describeError(Object value, Map<String, Object> seen) {
        if (value instanceof IdentityError) {
            seen.put("code", ((IdentityError) value).getCode());
            seen.put("message", ((IdentityError) value).getMessage());
        } else {
            CommunicationError error = ((CommunicationErrorResponse) value).getError();
            seen.put("code", error.getCode());
            seen.put("message", error.getMessage());
        }
    }

    private static void describe(Object result, Map<String, Object> seen) {
        if (result instanceof CommunicationUserIdentifierAndToken) {
            describe(((CommunicationUserIdentifierAndToken) result).getUser(), seen);
            describe(((CommunicationUserIdentifierAndToken) result).getUserToken(), seen);
        } else if (result instanceof CommunicationUserIdentifier) {
            seen.put("id", ((CommunicationUserIdentifier) result).getId());
        } else if (result instanceof AccessToken) {
            seen.put("token", ((AccessToken) result).getToken());
            seen.put("expires", ((AccessToken) result).getExpiresAt().toString());
        }
    }

    private static List<String> values(String variable) {
        String text = System.getenv(variable);
        return text.isEmpty() ? List.of() : List.of(text.split(","));
    }
}

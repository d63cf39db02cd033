import com.azure.communication.common.CommunicationUserIdentifier;
import com.azure.communication.identity.CommunicationIdentityClient;
import com.azure.communication.identity.CommunicationIdentityClientBuilder;
import com.azure.communication.identity.models.CommunicationTokenScope;
import com.azure.communication.identity.models.CommunicationUserIdentifierAndToken;
import com.azure.communication.identity.models.GetTokenForTeamsUserOptions;
import com.azure.core.credential.TokenCredential;
import com.azure.identity.DefaultAzureCredentialBuilder;
import com.azure.identity.EnvironmentCredentialBuilder;
import com.azure.identity.ManagedIdentityCredentialBuilder;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.Map;

/** The official Java client with the credentials of azure-identity, and its exchange for a user of Teams. */
public class Entra {
    public static void main(String[] arguments) throws Exception {
        goTheWholeWay("ManagedIdentityCredential", new ManagedIdentityCredentialBuilder().build());
        goTheWholeWay("EnvironmentCredential", new EnvironmentCredentialBuilder().build());
        goTheWholeWay("DefaultAzureCredential", new DefaultAzureCredentialBuilder().build());
        CommunicationIdentityClient client = new CommunicationIdentityClientBuilder()
            .connectionString(System.getenv("COMMUNICATION_SERVICES_CONNECTION_STRING"))
            .buildClient();
        show("exchange", Map.of("token", client.getTokenForTeamsUser(new GetTokenForTeamsUserOptions(
            System.getenv("TEAMS_TOKEN"), System.getenv("APP"), System.getenv("USER_ID"))).getToken()));
        // The client's own threads would keep the process for a while.
        System.exit(0);
    }

    private static void goTheWholeWay(String name, TokenCredential credential) throws Exception {
        CommunicationIdentityClient client = new CommunicationIdentityClientBuilder()
            .endpoint(System.getenv("COMMUNICATION_SERVICES_ENDPOINT"))
            .credential(credential)
            .buildClient();
        CommunicationUserIdentifierAndToken created = client.createUserAndToken(List.of(CommunicationTokenScope.CHAT));
        CommunicationUserIdentifier user = created.getUser();
        client.getToken(user, List.of(CommunicationTokenScope.VOIP));
        client.revokeTokens(user);
        client.deleteUser(user);
        show(name, Map.of("id", user.getId(), "token", created.getUserToken().getToken()));
    }

    private static void show(String step, Map<String, String> seen) throws Exception {
        Map<String, String> told = new java.util.LinkedHashMap<>(seen);
        told.put("step", step);
        System.out.println(new ObjectMapper().writeValueAsString(told));
    }
}

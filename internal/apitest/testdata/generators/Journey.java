import java.net.URI;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.ApiResponse;
import org.openapitools.client.api.ChangesApi;
import org.openapitools.client.api.GroupsApi;
import org.openapitools.client.api.MessagesApi;
import org.openapitools.client.model.AddGroupMembersRequest;
import org.openapitools.client.model.AddedMembers;
import org.openapitools.client.model.ChangePage;
import org.openapitools.client.model.CreateGroupRequest;
import org.openapitools.client.model.Group;
import org.openapitools.client.model.Message;
import org.openapitools.client.model.MessagePage;
import org.openapitools.client.model.Problem;
import org.openapitools.client.model.SendMessageRequest;

/** Sends, retries, lists, pages, fails, and writes to a group, with the client that OpenAPI Generator makes for Java. */
public class Journey {
  public static void main(String[] args) throws Exception {
    ApiClient client = new ApiClient();
    client.updateBaseUri(System.getenv("BASE_URL"));
    client.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + System.getenv("TOKEN")));
    MessagesApi messages = new MessagesApi(client);

    SendMessageRequest request = new SendMessageRequest().sender("java-alice").recipient("java-bob").text("Lunch at noon?");
    String key = UUID.randomUUID().toString();
    ApiResponse<Message> sent = messages.sendMessageWithHttpInfo(request, key);
    ApiResponse<Message> retried = messages.sendMessageWithHttpInfo(request, key);
    check("a retry under a key is answered with the first message", sent.getData(), retried.getData());
    check("a retry says so", "true", retried.getHeaders().get("Idempotent-Replayed").get(0));
    Message second = messages.sendMessage(request.text("Or one?"), UUID.randomUUID().toString());

    MessagePage newest = messages.listMessages("java-bob", "java-alice", null, null, null, null, null, null, 1);
    check("a list begins with the newest message", second, newest.getMessages().get(0));
    check("a page of one has more behind it", true, newest.getHasMore());
    MessagePage older = messages.listMessages("java-bob", "java-alice", null, null, null, null, second.getId(), null, 1);
    check("the next page has the older message", sent.getData(), older.getMessages().get(0));
    check("the last page says that it is the last", false, older.getHasMore());

    UUID beginning = new UUID(0, 0);
    ChangePage changes = new ChangesApi(client).listChanges("java-bob", beginning, null, null, 1, null, null);
    check("changes come as pages, not as a stream", sent.getData(), changes.getChanges().get(0).getMessage());

    try {
      messages.sendMessage(request.text(" "), UUID.randomUUID().toString());
      throw new AssertionError("a blank text was sent");
    } catch (ApiException e) {
      Problem problem = client.getObjectMapper().readValue(e.getResponseBody(), Problem.class);
      check("a problem has its type", URI.create("urn:problem-type:message-service:unprocessable-content"), problem.getType());
      check("a problem has its status", e.getCode(), problem.getStatus());
      check("a problem names the member at fault", "/text", problem.getErrors().get(0).getPointer());
    }
    talksInAGroup(new GroupsApi(client), messages);
  }

  private static void talksInAGroup(GroupsApi groups, MessagesApi messages) throws ApiException {
    String address = "~java+team:1";
    Group made = groups.createGroup(address, new CreateGroupRequest().name("Team").owner("java-alice"));
    check("a group has the address that it was given", address, made.getAddress());
    AddedMembers added = groups.addGroupMembers(address, new AddGroupMembersRequest().users(Set.of("java-bob")));
    check("each user who is added has an outcome", "added", added.getMembers().get(0).getOutcome());
    Message sent = messages.sendMessage(new SendMessageRequest().sender("java-bob").recipient(address).text("Noodles?"), null);
    MessagePage page = messages.listMessages(address, null, null, null, null, null, null, null, 1);
    check("the messages of a group are those to its address", sent, page.getMessages().get(0));
    groups.deleteGroup(address);
    try {
      groups.getGroup(address);
      throw new AssertionError("a deleted group was read");
    } catch (ApiException e) {
      check("a deleted group is not there", 404, e.getCode());
    }
  }

  private static void check(String rule, Object want, Object got) {
    if (!want.equals(got)) {
      throw new AssertionError(rule + ": got " + got + ", want " + want);
    }
  }
}

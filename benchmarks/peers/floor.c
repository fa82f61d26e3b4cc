/* The floor: an epoll loop that accepts sockets and does nothing but send() to them.

   It answers the handshake with fixed bytes, so that the crowd is the same for every server.
   floor PORT PAYLOAD: whoever asks for /broadcast makes one of PAYLOAD bytes, everybody else hears it. */

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST 65536
static const char HANDSHAKE[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
static const char DONE[] = "HTTP/1.1 204 No Content\r\n\r\n";
static int listeners[MOST], place[MOST], count;

static void leave(int client) {
    if (place[client]) {
        int last = listeners[--count];
        listeners[place[client] - 1] = last;
        place[last] = place[client];
        place[client] = 0;
    }
    close(client);
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    int payload = atoi(argv[2]), on = 1;
    char *frame = malloc(payload + 4);
    frame[0] = (char)0x81, frame[1] = 126, frame[2] = (char)(payload >> 8), frame[3] = (char)payload;
    memset(frame + 4, 'x', payload);
    int listener = socket(AF_INET, SOCK_STREAM, 0), poll = epoll_create1(0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* accepted sockets inherit it */
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 2048)) return perror("listen"), 1;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int ready = epoll_wait(poll, events, 256, -1);
        for (int i = 0; i < ready; i++) {
            int client = events[i].data.fd;
            char request[4096];
            if (client == listener) {
                client = accept(listener, NULL, NULL);
                if (client < 0) continue;
                if (client >= MOST) { close(client); continue; }
                event.data.fd = client;
                epoll_ctl(poll, EPOLL_CTL_ADD, client, &event);
                continue;
            }
            ssize_t size = recv(client, request, sizeof request, 0);
            if (size <= 0) {
                leave(client);
            } else if (size >= 14 && !memcmp(request, "GET /broadcast", 14)) {
                for (int n = 0; n < count; n++) send(listeners[n], frame, payload + 4, MSG_NOSIGNAL);
                send(client, DONE, sizeof DONE - 1, MSG_NOSIGNAL);
            } else if (!place[client]) {
                send(client, HANDSHAKE, sizeof HANDSHAKE - 1, MSG_NOSIGNAL);
                listeners[count++] = client;
                place[client] = count;
            }
        }
    }
}

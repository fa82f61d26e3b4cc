/* Crowd: the clients of crowd.py in C, for what a crowd in Python is too slow to read: storms, and ten thousand at once.

   It takes the same options and commands, and one more command:

       {"do": "storm", "rounds": 200}   -> {"frames": …, "seconds": …}

   in which the next broadcast is asked for as soon as the last one is answered. Ends with a line on stderr where
   something is wrong; nothing is retried. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define MOST 65536
#define IN_FLIGHT 50
#define STALL_MS 30000
#define HEAD 4096
#define SIGHT 512 /* bytes at the start of a message, in which a greeting is looked for */

enum { FREE, SHAKING, OPEN };

struct client {
    char state;
    unsigned char head[14];
    int head_size;
    unsigned long long rest; /* of the payload */
    char *sight;             /* what has come of a handshake, or of a message that is no broadcast */
    int sight_size;
};

static struct client clients[MOST];
static int poll_fd, open_clients, shaking, port, payload, greeted, cookies_size, cookie_next;
static long broadcasts, greetings, pings, others;
static char **cookies, *path = "/ws/notifications?format=json", *hello = "", *greeting = "\"event\":\"connected\"", *method = "GET";
static int control = -1, answer_size;
static char answer[HEAD];

static void fail(const char *text, ...) {
    va_list values;
    va_start(values, text);
    vfprintf(stderr, text, values);
    va_end(values);
    fprintf(stderr, " (%d open, %d handshakes, %ld broadcasts, %ld greetings, %ld pings, %ld others)\n", open_clients, shaking,
            broadcasts, greetings, pings, others);
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void watch(int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event)) fail("epoll: %s", strerror(errno));
}

static int dial(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (fd < 0 || fd >= MOST) fail("socket: %s", strerror(errno));
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) fail("connect: %s", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void say(int fd, const char *data, size_t size) {
    if (send(fd, data, size, MSG_NOSIGNAL) != (ssize_t)size) fail("a client could not speak: %s", strerror(errno));
}

static void join(void) {
    char request[HEAD];
    int fd = dial();
    const char *cookie = cookies_size ? cookies[cookie_next++ % cookies_size] : "";
    int size = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                        "Origin: http://127.0.0.1:%d\r\nUser-Agent: crowd\r\n%s%s%s\r\n",
                        path, port, port, *cookie ? "Cookie: " : "", cookie, *cookie ? "\r\n" : "");
    if (size >= (int)sizeof request) fail("a cookie is too long");
    say(fd, request, size);
    clients[fd] = (struct client){.state = SHAKING, .sight = malloc(HEAD)};
    shaking++;
    open_clients++;
    watch(fd);
}

static void greet(int fd) {
    char frame[132] = {(char)0x81, (char)(0x80 | strlen(hello))}; /* a text, with a mask of zeros */
    memcpy(frame + 6, hello, strlen(hello));
    if (*hello) say(fd, frame, 6 + strlen(hello));
}

/* A whole message has come, of which `sight` holds the start. */
static void heard(int fd, struct client *client) {
    static const char pong[] = {(char)0x8a, (char)0x80, 0, 0, 0, 0}, socketio_pong[] = {(char)0x81, (char)0x81, 0, 0, 0, 0, '3'};
    int size = client->sight_size;
    if (client->head[0] == 0x89) {
        say(fd, pong, sizeof pong);
        pings++;
    } else if (client->head[0] == 0x88) {
        fail("the server says goodbye: %.*s", size > 2 ? size - 2 : 0, client->sight + 2);
    } else if (size == 1 && *client->sight == '2') {
        say(fd, socketio_pong, sizeof socketio_pong);
        pings++;
    } else if (memmem(client->sight, size, greeting, strlen(greeting))) {
        greetings++;
    } else {
        others++;
    }
    client->sight_size = 0;
}

static void take(int fd, struct client *client, const unsigned char *data, ssize_t size) {
    while (size > 0) {
        if (client->rest) {
            unsigned long long part = (unsigned long long)size < client->rest ? (unsigned long long)size : client->rest;
            if (client->sight_size >= 0) {
                int room = SIGHT - client->sight_size, kept = part < (unsigned long long)room ? (int)part : room;
                memcpy(client->sight + client->sight_size, data, kept);
                client->sight_size += kept;
            }
            data += part, size -= part, client->rest -= part;
            if (!client->rest) {
                if (client->sight_size < 0) broadcasts++, client->sight_size = 0;
                else heard(fd, client);
            }
            continue;
        }
        client->head[client->head_size++] = *data++, size--;
        if (client->head_size < 2) continue;
        int code = client->head[1], needed = code == 126 ? 4 : code == 127 ? 10 : 2;
        if (client->head_size < needed) continue;
        unsigned long long length = code < 126 ? (unsigned long long)code : 0;
        for (int i = 2; i < needed; i++) length = length << 8 | client->head[i];
        client->head_size = 0;
        client->rest = length;
        client->sight_size = client->head[0] == 0x81 && (int)length == payload ? -1 : 0; /* -1: a broadcast */
        if (!length) heard(fd, client);
    }
}

static void read_client(int fd) {
    static unsigned char data[256 * 1024];
    struct client *client = &clients[fd];
    ssize_t size = recv(fd, data, sizeof data, 0);
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) fail("the server closed a connection");
    if (client->state == SHAKING) {
        if (client->sight_size + size >= HEAD) fail("a handshake's answer is too long");
        memcpy(client->sight + client->sight_size, data, size);
        client->sight_size += size;
        client->sight[client->sight_size] = 0;
        char *end = strstr(client->sight, "\r\n\r\n");
        if (!end) return;
        if (strncmp(client->sight + 8, " 101 ", 5)) fail("no upgrade: %s", client->sight);
        size = client->sight + client->sight_size - (end + 4);
        memcpy(data, end + 4, size);
        client->state = OPEN;
        client->sight_size = 0;
        shaking--;
        greet(fd);
    }
    take(fd, client, data, size);
}

static int answered(void) {
    ssize_t size = recv(control, answer + answer_size, sizeof answer - answer_size - 1, 0);
    if (size < 0 && errno == EAGAIN) return 0;
    if (size <= 0) fail("the server closed the connection on which broadcasts are asked for");
    answer_size += size;
    answer[answer_size] = 0;
    char *end = strstr(answer, "\r\n\r\n"), *length = strcasestr(answer, "content-length:");
    if (!end || (length && length < end && answer_size - (end + 4 - answer) < atoi(length + 15))) return 0;
    if (answer[9] != '2') fail("/broadcast answered %s", answer);
    answer_size = 0;
    return 1;
}

/* Read what is there, waiting for it at most so long; whether the broadcast that was asked for has been answered. */
static int turn(int milliseconds, int *has_command) {
    struct epoll_event events[1024];
    int ready = epoll_wait(poll_fd, events, 1024, milliseconds), done = 0;
    if (!ready && milliseconds == STALL_MS && !has_command) fail("nothing came for %d ms", STALL_MS);
    for (int i = 0; i < ready; i++) {
        int fd = events[i].data.fd;
        if (fd == 0) {
            if (has_command) *has_command = 1;
        } else if (fd == control) {
            done |= answered();
        } else {
            read_client(fd);
        }
    }
    return done;
}

static void connect_to(int to) {
    while (open_clients < to || shaking || (greeted && greetings < open_clients)) {
        while (shaking < IN_FLIGHT && open_clients < to) join();
        turn(STALL_MS, NULL);
    }
    printf("{\"open\": %d, \"greeted\": %ld}\n", open_clients, greetings);
}

static void broadcast(int rounds, int waits) {
    long before = broadcasts;
    double started = now();
    static char request[HEAD + 65536];
    int body = strcmp(method, "POST") ? 0 : payload;
    int size = snprintf(request, HEAD, "%s /broadcast HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n", method, port);
    size += body ? snprintf(request + size, HEAD, "Content-Length: %d\r\n\r\n", body) : snprintf(request + size, HEAD, "\r\n");
    memset(request + size, 'x', body);
    control = dial();
    watch(control);
    for (int number = 1; number <= rounds; number++) {
        say(control, request, size + body);
        for (int done = 0; !done || (waits && broadcasts - before < (long)number * open_clients);) done |= turn(STALL_MS, NULL);
    }
    while (broadcasts - before < (long)rounds * open_clients) turn(STALL_MS, NULL);
    double seconds = now() - started;
    turn(0, NULL); /* what is there already belongs to these rounds, if it is one too many */
    close(control);
    control = -1;
    printf("{\"frames\": %ld, \"seconds\": %.6f, \"others\": %ld}\n", broadcasts - before, seconds, others);
}

static void read_cookies(const char *file) {
    FILE *lines = fopen(file, "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    if (!lines) fail("%s: %s", file, strerror(errno));
    while ((size = getline(&line, &room, lines)) > 0) {
        if (line[size - 1] == '\n') line[size - 1] = 0;
        cookies = realloc(cookies, (cookies_size + 1) * sizeof *cookies);
        cookies[cookies_size++] = strdup(line);
    }
    fclose(lines);
}

static char *value_of(char **arguments, int *at, const char *name) {
    size_t size = strlen(name);
    char *argument = arguments[*at];
    if (strncmp(argument, name, size)) return NULL;
    if (argument[size] == '=') return argument + size + 1;
    return argument[size] ? NULL : arguments[++*at];
}

int main(int count, char **arguments) {
    char line[256], *value;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    for (int i = 1; i < count; i++) {
        if (!strcmp(arguments[i], "--greeted")) greeted = 1;
        else if ((value = value_of(arguments, &i, "--payload"))) payload = atoi(value);
        else if ((value = value_of(arguments, &i, "--cookies"))) read_cookies(value);
        else if ((value = value_of(arguments, &i, "--path"))) path = value;
        else if ((value = value_of(arguments, &i, "--hello"))) hello = value;
        else if ((value = value_of(arguments, &i, "--greeting"))) greeting = value;
        else if ((value = value_of(arguments, &i, "--method"))) method = value;
        else port = atoi(arguments[i]);
    }
    poll_fd = epoll_create1(0);
    watch(0);
    setvbuf(stdin, NULL, _IONBF, 0); /* a line at a time, so that epoll knows of the next one */
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (;;) {
        int has_command = 0, number = 0;
        turn(STALL_MS, &has_command);
        if (!has_command) continue;
        if (!fgets(line, sizeof line, stdin)) return 0;
        epoll_ctl(poll_fd, EPOLL_CTL_DEL, 0, NULL);
        if ((value = strrchr(line, ':'))) number = atoi(value + 1);
        if (strstr(line, "connect")) connect_to(number);
        else broadcast(number, strstr(line, "storm") == NULL);
        watch(0);
    }
}

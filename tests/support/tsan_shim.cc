// For binaries under the thread sanitizer. g++ 12's does not know C11 threads, which Debian's
// librdkafka is built on: a thread that thrd_create started crashes it, and locking through
// mtx_lock orders nothing in its eyes. librdkafka resolves these symbols to the ones here, which do
// the same through pthreads: glibc's C11 types are its pthread types.
#include <pthread.h>
#include <threads.h>

#include <cerrno>
#include <cstdint>

namespace {

struct Start {
  thrd_start_t function;
  void* argument;
};

void* Run(void* raw) {
  const Start start = *static_cast<Start*>(raw);
  delete static_cast<Start*>(raw);
  return reinterpret_cast<void*>(static_cast<intptr_t>(start.function(start.argument)));
}

int ToThrd(int error) {
  switch (error) {
    case 0:
      return thrd_success;
    case ETIMEDOUT:
      return thrd_timedout;
    case ENOMEM:
      return thrd_nomem;
    default:
      return thrd_error;
  }
}

pthread_mutex_t* Pthread(mtx_t* mutex) { return reinterpret_cast<pthread_mutex_t*>(mutex); }
pthread_cond_t* Pthread(cnd_t* condition) { return reinterpret_cast<pthread_cond_t*>(condition); }

}  // namespace

extern "C" {

int thrd_create(thrd_t* thread, thrd_start_t function, void* argument) {
  Start* const start = new Start{function, argument};
  const int error = pthread_create(thread, nullptr, Run, start);
  if (error != 0) delete start;
  return ToThrd(error);
}

int thrd_join(thrd_t thread, int* result) {
  void* raw = nullptr;
  const int error = pthread_join(thread, &raw);
  if (result != nullptr) *result = static_cast<int>(reinterpret_cast<intptr_t>(raw));
  return ToThrd(error);
}

int mtx_init(mtx_t* mutex, int type) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  if ((type & mtx_recursive) != 0) {
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
  }
  const int error = pthread_mutex_init(Pthread(mutex), &attributes);
  pthread_mutexattr_destroy(&attributes);
  return ToThrd(error);
}

void mtx_destroy(mtx_t* mutex) { pthread_mutex_destroy(Pthread(mutex)); }
int mtx_lock(mtx_t* mutex) { return ToThrd(pthread_mutex_lock(Pthread(mutex))); }
int mtx_unlock(mtx_t* mutex) { return ToThrd(pthread_mutex_unlock(Pthread(mutex))); }

int cnd_init(cnd_t* condition) { return ToThrd(pthread_cond_init(Pthread(condition), nullptr)); }
void cnd_destroy(cnd_t* condition) { pthread_cond_destroy(Pthread(condition)); }
int cnd_signal(cnd_t* condition) { return ToThrd(pthread_cond_signal(Pthread(condition))); }
int cnd_broadcast(cnd_t* condition) { return ToThrd(pthread_cond_broadcast(Pthread(condition))); }
int cnd_wait(cnd_t* condition, mtx_t* mutex) {
  return ToThrd(pthread_cond_wait(Pthread(condition), Pthread(mutex)));
}
int cnd_timedwait(cnd_t* condition, mtx_t* mutex, const timespec* deadline) {
  return ToThrd(pthread_cond_timedwait(Pthread(condition), Pthread(mutex), deadline));
}

}  // extern "C"
